"""make.py OUT: writes small recordings in HDF5, and `expected.json` with the numbers of all columns.

    pip install h5py hdf5plugin numpy && pip install --no-deps stable-worldmodel==0.1.1
    python make.py .

Three episodes of 5, 7 and 4 moments. Pictures are made by `picture`, the column `table` by `table`; the tests know both formulas.

    stable_worldmodel.h5   its own writer
    latest.h5, earliest.h5 numbers of all kinds; data sets of all layouts and indices; filters of HDF5 and h5py
    many_latest.h5, many_earliest.h5   more chunks than one node of an index holds
    blosc.h5               Blosc with all codecs and shuffles
    gaps.h5                rows between the episodes that belong to none
"""
import importlib.util, json, pathlib, sys, types

import h5py, hdf5plugin
import numpy as np

LENGTHS = [5, 7, 4]
ROWS = sum(LENGTHS)
CODECS = ["blosclz", "lz4", "lz4hc", "zlib", "zstd"]


def stable_worldmodel():
    """Its module of the format, without torch, of which it needs next to nothing."""
    torch = types.ModuleType("torch")
    array = type("Tensor", (np.ndarray,), {"permute": lambda self, *axes: self.transpose(axes)})
    torch.from_numpy = lambda values: values.view(array)
    sys.modules.setdefault("torch", torch)
    root = pathlib.Path(importlib.util.find_spec("stable_worldmodel").origin).parent
    for name in ["stable_worldmodel", "stable_worldmodel.data", "stable_worldmodel.data.formats"]:
        package = types.ModuleType(name)
        package.__path__ = [str(root.joinpath(*name.split(".")[1:]))]
        sys.modules[name] = package
    utils = types.ModuleType("stable_worldmodel.data.utils")
    utils.get_cache_dir = None
    sys.modules["stable_worldmodel.data.utils"] = utils
    return importlib.import_module("stable_worldmodel.data.formats.hdf5")


def picture(row, channels=3):
    y, x, c = np.mgrid[0:8, 0:12, 0:channels]
    return ((row * 7 + y * 5 + x * 3 + c * 50) % 256).astype(np.uint8)


def pictures(rows=range(ROWS), channels=3):
    return np.stack([picture(row, channels) for row in rows])


def table():
    row, place = np.mgrid[0:ROWS, 0:4096]
    return ((row * 5 + place) % 97 / 4).astype(np.float32)


def columns():
    random = np.random.default_rng(11)
    action = random.normal(size=(ROWS, 2)).astype(np.float32)
    action[np.cumsum(LENGTHS) - 1] = np.nan
    return {
        "action": action,
        "state": random.normal(size=(ROWS, 3)),
        "half": random.normal(size=(ROWS, 2)).astype(np.float16),
        "done": np.arange(ROWS) % 3 == 0,
        "integer": random.integers(-(2**62), 2**62, size=ROWS),
        "small": random.integers(-128, 127, size=(ROWS, 2, 2), dtype=np.int8),
        "unsigned": random.integers(0, 2**16, size=(ROWS, 1), dtype=np.uint16),
        "episode_idx": np.repeat(np.arange(3, dtype=np.int32), LENGTHS),
        "step_idx": np.concatenate([np.arange(length) for length in LENGTHS]),
    }


def counts(file, offsets=None):
    file.create_dataset("ep_len", data=np.array(LENGTHS, np.int32))
    file.create_dataset("ep_offset", data=np.array(offsets or [0, 5, 12], np.int64))


def by_row(file, name, values, **more):
    data = file.create_dataset(
        name, (0, *values.shape[1:]), values.dtype, maxshape=(None, *values.shape[1:]), chunks=(1, *values.shape[1:]), **more
    )
    for row in range(len(values)):
        data.resize(row + 1, axis=0)
        data[row] = values[row]


def main():
    out = pathlib.Path(sys.argv[1])
    numbers = columns()
    expected = dict(numbers)

    out.joinpath("stable_worldmodel.h5").unlink(missing_ok=True)
    with stable_worldmodel().HDF5Writer(out / "stable_worldmodel.h5") as writer:
        for first, length in zip([0, 5, 12], LENGTHS):
            rows = slice(first, first + length)
            episode = {name: list(values[rows]) for name, values in numbers.items()}
            writer.write_episode({"pixels": list(pictures()[rows]), "depth": list(pictures(channels=1)[rows]), **episode})

    for version in ["latest", "earliest"]:
        with h5py.File(out / f"{version}.h5", "w", libver=version) as file:
            counts(file)
            file.create_dataset("pixels", data=pictures())
            by_row(file, "appended", pictures())
            file.create_dataset("fixed", data=pictures(), chunks=(1, 4, 12, 3))
            file.create_dataset("several", data=pictures(), chunks=(3, 8, 12, 3), compression="gzip")
            file.create_dataset("single", data=pictures(), chunks=(ROWS, 8, 12, 3), compression="gzip")
            file.create_dataset("two_axes", data=pictures(), chunks=(5, 5, 12, 3), maxshape=(None, None, 12, 3), compression="gzip")
            by_row(file, "checked", pictures(), compression="gzip", shuffle=True, fletcher32=True)
            by_row(file, "lzf", pictures(), compression="lzf", shuffle=True)
            by_row(file, "depth", pictures(channels=1), fletcher32=True)
            for name, values in numbers.items():
                file.create_dataset(name, data=values)
            file.create_dataset("big_action", data=numbers["action"].astype(">f4"))
            file.create_dataset("big_half", data=numbers["half"].astype(">f2"))
            file.create_dataset("big_integer", data=numbers["integer"].astype(">i8"), chunks=(4,), shuffle=True, compression="gzip")
            file.create_dataset("big_unsigned", data=numbers["unsigned"].astype(">u2"), maxshape=(None, 1), fletcher32=True)
            file.create_dataset("table", data=table(), chunks=(8, 4096), compression="gzip", shuffle=True)
            file.create_dataset("task", data=["push", "drück"] * 8, dtype=h5py.string_dtype())
            file.create_dataset("seed", data=np.arange(3))
            file.attrs["made_by"] = "make.py"
            file.create_group("more").create_dataset("pixels", data=1)
    for name in ["action", "half", "integer", "unsigned"]:
        expected[f"big_{name}"] = numbers[name]

    for version in ["latest", "earliest"]:
        with h5py.File(out / f"many_{version}.h5", "w", libver=version) as file:
            file.create_dataset("ep_len", data=np.array([300], np.int32))
            file.create_dataset("ep_offset", data=np.array([0], np.int64))
            by_row(file, "number", np.arange(300, dtype=np.uint16)[:, None])

    with h5py.File(out / "blosc.h5", "w", libver="latest") as file:
        counts(file)
        for codec in CODECS:
            for shuffle, name in enumerate(["plain", "shuffle", "bitshuffle"]):
                blosc = hdf5plugin.Blosc(cname=codec, clevel=5, shuffle=shuffle)
                file.create_dataset(f"{codec}_{name}", data=pictures(), chunks=(4, 8, 12, 3), **blosc)
                file.create_dataset(f"table_{codec}_{name}", data=table(), chunks=(ROWS, 4096), **blosc)

    with h5py.File(out / "gaps.h5", "w", libver="latest") as file:
        counts(file, [1, 7, 15])
        rows = [0, *range(5), 0, *range(5, 12), 0, *range(12, 16), 0]
        by_row(file, "pixels", pictures(rows))
        by_row(file, "action", numbers["action"][rows])
        file.create_dataset("state", data=numbers["state"][rows])

    values = lambda array: [None if value != value else value for value in array.astype(np.float64).ravel().tolist()]
    text = ",\n".join(f'"{name}": {json.dumps(values(array), separators=(",", ":"))}' for name, array in expected.items())
    out.joinpath("expected.json").write_text("{\n" + text + "\n}\n")


if __name__ == "__main__":
    main()
