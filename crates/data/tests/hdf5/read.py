"""read.py DIR EPISODES: opens what `prevision data convert EPISODES --to hdf5 --out DIR` wrote with stable-worldmodel's reader and with h5py,
and compares every number, and every picture, with the recording.

    pip install h5py hdf5plugin numpy av && pip install --no-deps stable-worldmodel==0.1.1
    python read.py DIR EPISODES
"""
import pathlib, sys

import av, h5py
import numpy as np
from make import stable_worldmodel

out, recording = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
data = stable_worldmodel().HDF5.open_reader(out)
column = lambda name: np.load(recording / f"{name}.npz")["arr_0"]
lengths, offsets = column("ep_len"), column("ep_offset")
np.testing.assert_array_equal(data.lengths, lengths)
np.testing.assert_array_equal(data.offsets, offsets)
names = [path.stem for path in recording.glob("*.npz") if path.stem not in ("ep_len", "ep_offset")]
assert sorted(data.column_names) == sorted([*names, "pixels"]), data.column_names
for name in names:
    np.testing.assert_array_equal(data.get_col_data(name), column(name).reshape(len(data.get_col_data(name)), -1))
for episode, length in enumerate(lengths):
    with av.open(recording / f"pixels/ep_{episode}.mp4") as video:
        frames = np.stack([frame.to_ndarray(format="rgb24") for frame in video.decode(video=0)])
    np.testing.assert_array_equal(data.load_episode(episode)["pixels"], frames.transpose(0, 3, 1, 2))
with h5py.File(out / "episodes.h5") as file:
    pixels = file["pixels"]
    assert pixels.chunks == (1, *pixels.shape[1:]) and pixels.dtype == np.uint8, pixels
    assert (file["ep_len"].dtype, file["ep_offset"].dtype) == (np.int32, np.int64)
print(f"{len(lengths)} episodes, {lengths.sum()} moments: the same")
