"""Episodes of gym-pusht as `ep_*.npz` and `ep_*.mp4`, brought into the layout that `data.source.kind = "episodes"` reads.

usage: convert.py FROM TO

An action is the target of the agent, and proprioception the place of the agent, both in pixels of the world from 0 to 512; here both are
from -1 to 1. Row `t` of `action` leaves frame `t`; the last row of an episode is NaN.
"""

import pathlib
import shutil
import sys

import numpy as np

HALF = 256.0


def main(source: pathlib.Path, target: pathlib.Path) -> None:
    videos = target / "pixels"
    videos.mkdir(parents=True, exist_ok=True)
    columns: dict[str, list[np.ndarray]] = {"action": [], "proprio": [], "state": []}
    lengths = []
    for number, path in enumerate(sorted(source.glob("ep_*.npz"))):
        episode = np.load(path)
        last = np.full((1, episode["action"].shape[1]), np.nan)
        columns["action"].append(np.concatenate([episode["action"] / HALF - 1.0, last]))
        columns["proprio"].append(episode["state"][:, :2] / HALF - 1.0)
        columns["state"].append(episode["state"])
        lengths.append(len(episode["state"]))
        shutil.copyfile(path.with_suffix(".mp4"), videos / f"ep_{number}.mp4")
    np.savez(target / "ep_len.npz", np.array(lengths, dtype=np.int32))
    np.savez(target / "ep_offset.npz", np.concatenate([[0], np.cumsum(lengths)[:-1]]).astype(np.int64))
    for name, parts in columns.items():
        np.savez(target / f"{name}.npz", np.concatenate(parts).astype(np.float32))


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
