"""A recording by stable-worldmodel's own writer of its `video` format, for the test in ../it/foreign_recording.rs.

    python3 -m venv venv && venv/bin/pip install stable-worldmodel==0.1.1 decord opencv-python-headless "imageio[ffmpeg]"
    venv/bin/python make_stable_worldmodel.py

Two episodes of 3 and 2 rows, with the formulas that the test knows: r is the row in the whole recording.
"""

import pathlib
import warnings

import numpy as np

warnings.filterwarnings("ignore")
from stable_worldmodel.data import VideoWriter  # noqa: E402

folder = pathlib.Path(__file__).parent / "stable_worldmodel"
first = 0
with VideoWriter(folder, mode="overwrite") as writer:
    for episode, length in enumerate([3, 2]):
        rows = np.arange(first, first + length)
        # The last row is what the environment's reset left there: NaN.
        action = np.stack([rows / 8, -rows], axis=1).astype(np.float32)
        action[-1] = np.nan
        # Frame t is all (40 t, 100, 200 e); lossy yuv420p at imageio's defaults. The grey one is all 60 t.
        pixels = np.stack([np.full((32, 48, 3), (40 * t, 100, 200 * episode), dtype=np.uint8) for t in range(length)])
        depth = np.stack([np.full((32, 48, 1), 60 * t, dtype=np.uint8) for t in range(length)])
        columns = {
            "pixels": pixels,
            "depth": depth,
            "action": action,
            "proprio": np.stack([rows, rows**2, rows**3], axis=1).astype(np.float64),
            "terminated": rows == first + length - 1,
            "step_idx": np.arange(length),
        }
        # As its collector gives them: a list of steps for each column.
        writer.write_episode({name: list(column) for name, column in columns.items()})
        first += length
print(*sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()))
