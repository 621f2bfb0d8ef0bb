"""Writes actions.parquet as a logger would with pandas, and stamps.parquet with points in time. Needs pandas and pyarrow."""

import pathlib

import numpy as np
import pandas as pd

here = pathlib.Path(__file__).parent
rows = [("a.mp4", 0.05 * row) for row in range(8)] + [("b.mp4", 0.1 * row) for row in range(3)]
table = pd.DataFrame(rows, columns=["video", "time"])
count = len(table)
table["action"] = [np.array([row, -row / 2], dtype=np.float32) for row in range(count)]
table["state_x"] = np.arange(count, dtype=np.float16) / 4
table["state_y"] = np.arange(count, dtype=np.int64) * 10
table["grip"] = [row % 2 == 0 for row in range(count)]
table["note"] = [None if row == 3 else f"row {row}" for row in range(count)]
table["day"] = pd.Timestamp("2024-05-01")
table.to_parquet(here / "actions.parquet", compression="zstd")

stamps = table[["video", "state_y"]].copy()
stamps["time"] = pd.Timestamp("2024-05-01 12:00:00.25") + pd.to_timedelta(table["time"], unit="s")
stamps["video"] = stamps["video"].astype("category")
stamps.to_parquet(here / "stamps.parquet")
