"""Episodes of gym-pusht as `ep_*.npz` and `ep_*.mp4`, brought into the layout that `data.source.kind = "episodes"` reads.

usage: convert.py FROM TO

As in V-JEPA 2-AC an action is the change of the agent's place from one frame to the next: here in units of 8 pixels of the world, about its
standard deviation. Proprioception is the place, from -1 to 1. Row `t` of `action` leaves frame `t`; the last row of an episode is NaN.
"""

import pathlib
import shutil
import sys

import numpy as np

HALF = 256.0
STEP = 8.0


def main(source: pathlib.Path, target: pathlib.Path) -> None:
    videos = target / "pixels"
    videos.mkdir(parents=True, exist_ok=True)
    columns: dict[str, list[np.ndarray]] = {"action": [], "proprio": [], "state": []}
    lengths = []
    for number, path in enumerate(sorted(source.glob("ep_*.npz"))):
        episode = np.load(path)
        place = episode["state"][:, :2]
        columns["action"].append(np.concatenate([np.diff(place, axis=0) / STEP, np.full((1, 2), np.nan)]))
        columns["proprio"].append(place / HALF - 1.0)
        columns["state"].append(episode["state"])
        lengths.append(len(episode["state"]))
        shutil.copyfile(path.with_suffix(".mp4"), videos / f"ep_{number}.mp4")
    np.savez(target / "ep_len.npz", np.array(lengths, dtype=np.int32))
    np.savez(target / "ep_offset.npz", np.concatenate([[0], np.cumsum(lengths)[:-1]]).astype(np.int64))
    for name, parts in columns.items():
        np.savez(target / f"{name}.npz", np.concatenate(parts).astype(np.float32))


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
