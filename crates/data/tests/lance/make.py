"""make.py OUT: writes three short episodes as Lance tables, and `expected.json` with their numbers and the pictures as Pillow decodes them.
See `../upstream.py` for what to install. Also `pip install lancedb==0.40.0 pylance==14.0.2`.

    python make.py .

    stable_worldmodel.lance   its own writer
    v2.0.lance                numbers of many types beside lists, a text, PNG pictures, rows that were deleted again; files of Lance 2.0
    v2.2.lance                the same, files of Lance 2.2
"""
import base64, io, json, pathlib, shutil, sys

import lance as lance_itself
import numpy as np
import pyarrow as pa
from PIL import Image

sys.path.append(str(pathlib.Path(__file__).parents[1]))
from upstream import load

LanceWriter = load("lance").LanceWriter

LENGTHS = [4, 6, 3]
ROWS = sum(LENGTHS)
HEIGHT, WIDTH = 24, 32


def episodes():
    random = np.random.default_rng(4)
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
    for episode, length in enumerate(LENGTHS):
        light = [np.clip(1.5 - np.hypot(columns - 4 - 4 * t, rows - 6 - 3 * t) / 5, 0, 1)[..., None] for t in range(length)]
        data = {
            "pixels": np.stack([30 + near * np.array([200, 150 - 60 * episode, 40]) for near in light]).astype(np.uint8),
            "depth": np.stack([250 - near * 100 for near in light]).astype(np.uint8),
            "action": random.normal(size=(length, 2)).astype(np.float32),
            "arm.proprio": random.normal(size=(length, 2, 2)),
            "step_idx": np.arange(length),
            "done": np.arange(length) == length - 1,
            "task": np.array([f"task {episode}"] * length),
        }
        data["action"][-1] = np.nan
        yield {name: list(values) for name, values in data.items()}


def decoded(blobs):
    return [base64.b16encode(np.array(Image.open(io.BytesIO(blob)).convert("RGB")).tobytes()).decode() for blob in blobs]


def bits(values):
    """The bits of float32, as they are read."""
    return np.asarray(values, dtype=np.float64).astype(np.float32).view(np.uint32).ravel().tolist()


def expected_of(table):
    found = {"columns": {}, "cameras": {}}
    for name in table.schema.names:
        values = table.column(name).combine_chunks()
        if name in ("episode_idx", "step_idx") or pa.types.is_string(values.type):
            continue
        if pa.types.is_binary(values.type) or pa.types.is_large_binary(values.type):
            found["cameras"][name] = decoded(values.to_pylist())
        else:
            rows = values.to_pylist()
            empty = [None] * values.type.list_size if pa.types.is_fixed_size_list(values.type) else None
            rows = [empty if row is None else row for row in rows]
            found["columns"][name] = bits(np.array(rows, dtype=object).ravel().astype(np.float64))
    return found


def main():
    out = pathlib.Path(sys.argv[1])
    for old in out.glob("*.lance"):
        shutil.rmtree(old)
    expected = {"lengths": LENGTHS}
    path = out / "stable_worldmodel.lance"
    with LanceWriter(path, mode="overwrite") as writer:
        writer.write_episodes(episodes())
    expected[path.stem] = expected_of(lance_itself.dataset(str(path)).to_table())

    random = np.random.default_rng(5)
    def png(row):
        picture = io.BytesIO()
        Image.fromarray(np.full((8, 12, 3), (10 * row, 200 - 9 * row, 7), dtype=np.uint8)).save(picture, "png")
        return picture.getvalue()
    step = np.concatenate([np.arange(length) for length in LENGTHS])
    for version in ["2.0", "2.2"]:
        columns = {
            "episode_idx": pa.array(np.repeat(np.arange(len(LENGTHS)), LENGTHS) + 5, pa.int64()),
            "step_idx": pa.array(step + 2, pa.int32()),
            "pixels": pa.array([png(row) for row in range(ROWS)], pa.large_binary()),
            "half": pa.array(random.normal(size=ROWS).astype(np.float16), pa.float16()),
            "double": pa.array(random.normal(size=ROWS), pa.float64()),
            "byte": pa.array(random.integers(-128, 127, ROWS), pa.int8()),
            "count": pa.array(random.integers(0, 2**40, ROWS), pa.uint64()),
            "done": pa.array(step == 0, pa.bool_()),
            "missing": pa.array([None if row % 3 == 1 else row / 2 for row in range(ROWS)], pa.float32()),
            "pair": pa.array([[row, -row] for row in range(ROWS)], pa.list_(pa.float64(), 2)),
            "whole": pa.array([[row, 3 * row, 7] for row in range(ROWS)], pa.list_(pa.int16(), 3)),
            "note": pa.array([f"row {row}" for row in range(ROWS)], pa.string()),
        }
        table = pa.table(columns)
        # Rows of an episode that is deleted, in front and behind.
        more = table.slice(0, 5).set_column(0, "episode_idx", pa.array([2] * 5, pa.int64()))
        late = table.slice(3, 5).set_column(0, "episode_idx", pa.array([90] * 5, pa.int64()))
        path = out / f"v{version}.lance"
        stored = lance_itself.write_dataset(
            pa.concat_tables([more, table, late]), str(path), data_storage_version=version, max_rows_per_file=8)
        stored.delete("episode_idx = 2 OR episode_idx = 90")
        expected[path.stem] = expected_of(stored.to_table())
    (out / "expected.json").write_text(json.dumps(expected, separators=(",", ":")) + "\n")


main()
