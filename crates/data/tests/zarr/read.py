"""read.py DIR EPISODES: opens what `prevision data convert EPISODES --to zarr --out DIR` wrote with the package `zarr` (2 or 3), and
compares every number and every sample with the recording, a replay buffer, too.

    pip install zarr numpy && python read.py DIR EPISODES
"""
import sys

import numpy as np
import zarr

out, recording = (zarr.open_group(name, mode="r") for name in sys.argv[1:3])
np.testing.assert_array_equal(out["meta"]["episode_ends"][:], recording["meta"]["episode_ends"][:])
assert out["meta"]["episode_ends"].dtype == np.int64
# What diffusion policy's ReplayBuffer checks.
assert all(value.shape[0] == out["meta"]["episode_ends"][-1] for _, value in out["data"].arrays())
for name, array in out["data"].arrays():
    wanted = recording["data"][name][:]
    if array.ndim == 4:
        assert array.dtype == np.uint8
        np.testing.assert_array_equal(array[:], wanted.round().astype(np.uint8))
    else:
        np.testing.assert_array_equal(array[:], wanted.reshape(len(wanted), -1).astype(np.float32))
    print(name, array.shape, array.dtype, array.chunks, "the same")
