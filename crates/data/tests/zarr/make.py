"""make.py OUT: writes three short episodes as diffusion policy keeps replay buffers, with the package `zarr`, in several layouts, and
`expected.json` with their numbers and pictures.

    pip install 'zarr<3' 'numcodecs<0.16' numpy && python make.py .     # v2.zarr, v2f.zarr, expected.json
    pip install 'zarr>=3' numpy && python make.py .                     # v3.zarr

v2.zarr is cut and compressed as diffusion policy's Push-T file: pictures of floats from 0 to 255, Blosc, several steps a chunk.
v2f.zarr has what else there is: Fortran's order, other compressors and types, channels first, `/` between the numbers of a chunk, chunks
that cut a picture, big-endian numbers, chunks that are missing.
"""
import base64, json, pathlib, sys

import numcodecs, zarr
import numpy as np

LENGTHS = [5, 7, 4]
HEIGHT, WIDTH = 12, 10
TOTAL = sum(LENGTHS)


def content():
    random = np.random.default_rng(3)
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
    pictures = np.stack([
        np.stack([rows * 13 + step, columns * 17 + step * 3, (rows + columns) * 5 + step * 7], -1) % 256 for step in range(TOTAL)
    ]).astype(np.uint8)
    pictures[:, 0, 0] = 255
    return {
        "img": pictures,
        "action": random.normal(size=(TOTAL, 2)).astype(np.float32) * 100,
        "keypoint": random.normal(size=(TOTAL, 3, 2)).astype(np.float32),
        "n_contacts": random.integers(0, 9, (TOTAL, 1)).astype(np.float32),
        "reward": random.normal(size=TOTAL),
        "choice": random.integers(-5, 300, TOTAL).astype(np.int64),
        "done": random.integers(0, 2, TOTAL).astype(bool),
        "small": random.normal(size=(TOTAL, 2)).astype(np.float16),
    }


def two(out, data):
    from numcodecs import GZip, Zlib, Zstd, Blosc
    ends = np.cumsum(LENGTHS)
    blosc = lambda name, shuffle: Blosc(cname=name, clevel=5, shuffle=shuffle)
    root = zarr.open_group(str(out / "v2.zarr"), mode="w")
    group, meta = root.create_group("data"), root.create_group("meta")
    group.create_dataset("img", data=data["img"].astype(np.float32), chunks=(6, HEIGHT, WIDTH, 3), compressor=blosc("lz4", 1))
    for name, codec in [("action", blosc("zstd", 2)), ("keypoint", blosc("zlib", 0)), ("n_contacts", blosc("blosclz", 1)),
                        ("reward", None), ("choice", Zstd(3)), ("done", GZip(5)), ("small", Zlib(5))]:
        group.create_dataset(name, data=data[name], chunks=(6, *data[name].shape[1:]), compressor=codec)
    group.create_dataset("task", data=np.array(["push"] * TOTAL), chunks=(6,), compressor=None)
    meta.create_dataset("episode_ends", data=ends, chunks=(2,), compressor=None)

    store = zarr.DirectoryStore(str(out / "v2f.zarr"), dimension_separator="/")
    root = zarr.group(store, overwrite=True)
    group, meta = root.create_group("data"), root.create_group("meta")
    group.create_dataset("img", data=data["img"].transpose(0, 3, 1, 2), chunks=(4, 2, 5, 10), compressor=Zstd(1), order="F")
    group.create_dataset("grey", data=data["img"][..., :1], chunks=(1, HEIGHT, WIDTH, 1), compressor=None)
    group.create_dataset("keypoint", data=data["keypoint"].astype(">f4"), chunks=(5, 2, 2), compressor=GZip(1), order="F")
    group.create_dataset("action", data=data["action"], chunks=(TOTAL, 2), compressor=blosc("lz4hc", 2))
    # Longer than the episodes, and without its last chunks.
    reward = group.create_dataset("reward", shape=(TOTAL + 20,), chunks=(4,), dtype="<f8", fill_value=-7.5)
    reward[:8] = data["reward"][:8]
    meta.create_dataset("episode_ends", data=ends.astype(">i4"), compressor=Zlib(1))

    expected = {"lengths": LENGTHS, "columns": {}}
    for name, values in data.items():
        if name == "img":
            expected["img"] = base64.b16encode(values.tobytes()).decode()
        else:
            # The bits of float32, as they are read.
            expected["columns"][name] = values.astype(np.float64).astype(np.float32).view(np.uint32).ravel().tolist()
    (out / "expected.json").write_text(json.dumps(expected, separators=(",", ":")) + "\n")


def three(out, data):
    from zarr.codecs import BloscCodec, BytesCodec, Crc32cCodec, GzipCodec, TransposeCodec, ZstdCodec
    root = zarr.open_group(str(out / "v3.zarr"), mode="w", zarr_format=3)
    group, meta = root.create_group("data"), root.create_group("meta")

    def put(group, name, values, chunks, **kind):
        group.create_array(name, shape=values.shape, dtype=values.dtype, chunks=chunks, **kind)[:] = values

    put(group, "img", data["img"], (6, HEIGHT, WIDTH, 3), compressors=[BloscCodec(cname="zstd"), Crc32cCodec()])
    put(group, "action", data["action"], (6, 2), compressors=[ZstdCodec(), Crc32cCodec()])
    put(group, "keypoint", data["keypoint"], (6, 2, 2), compressors=[GzipCodec()], filters=[TransposeCodec(order=(2, 0, 1))])
    put(group, "reward", data["reward"], (6,), compressors=None, serializer=BytesCodec(endian="big"))
    put(group, "choice", data["choice"], (6,))
    put(group, "done", data["done"], (6,), chunk_key_encoding={"name": "v2", "separator": "."})
    put(group, "small", data["small"], (6, 2))
    put(meta, "episode_ends", np.cumsum(LENGTHS), (3,))


out = pathlib.Path(sys.argv[1])
two(out, content()) if zarr.__version__.startswith("2") else three(out, content())
