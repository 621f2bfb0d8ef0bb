"""A recording as stable-worldmodel writes it: films through imageio, columns through numpy, here of every number type,
compressed and not, in C and Fortran order.

    python3 -m venv venv && venv/bin/pip install numpy "imageio[ffmpeg]" && venv/bin/python make_recording.py

Two episodes of 3 and 2 rows. Value of row r, number k: see below; the test in ../it/foreign_recording.rs knows the same formulas.
"""

import pathlib

import imageio
import numpy as np

here = pathlib.Path(__file__).parent / "recording"
(here / "pixels").mkdir(parents=True, exist_ok=True)
rows = np.arange(5)

np.savez(here / "ep_len.npz", np.array([3, 2], dtype=np.int32))
np.savez(here / "ep_offset.npz", np.array([0, 3], dtype=np.int64))

# action[r] = (r / 8, -r), the last row of each episode NaN; float64, compressed
action = np.stack([rows / 8, -rows], axis=1).astype(np.float64)
action[[2, 4]] = np.nan
np.savez_compressed(here / "action.npz", action)

# grid[r, i, j] = 100 r + 10 i + j in Fortran order
grid = 100 * rows[:, None, None] + 10 * np.arange(2)[None, :, None] + np.arange(3)[None, None, :]
np.savez(here / "grid.npz", np.asfortranarray(grid.astype(np.float32)))

# one number a row: 3 r in each integer type, r odd as a boolean
for kind in ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"]:
    np.savez_compressed(here / f"{kind}.npz", (3 * rows).astype(kind))
np.savez(here / "bool.npz", rows % 2 == 1)
np.savez(here / "big_endian.npz", (3 * rows).astype(">f4"))

# frame t of episode e is all (40 t, 100, 200 e); lossy yuv420p at imageio's defaults
for episode, length in enumerate([3, 2]):
    with imageio.get_writer(here / "pixels" / f"ep_{episode}.mp4", fps=25, codec="libx264") as film:
        for t in range(length):
            film.append_data(np.full((32, 48, 3), (40 * t, 100, 200 * episode), dtype=np.uint8))

# not a number column
np.savez(here / "text.npz", np.array(["a", "b", "c", "d", "e"]))
