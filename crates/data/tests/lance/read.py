"""read.py TABLE EPISODES: opens what `prevision data convert EPISODES --to lance --out TABLE` wrote with stable-worldmodel's own reader, and
compares every number, and every picture with the recording, as FFmpeg decodes it. See `../upstream.py`.

    pip install av
"""
import pathlib, sys

import av
import numpy as np

sys.path.append(str(pathlib.Path(__file__).parents[1]))
from upstream import load

LanceDataset = load("lance").LanceDataset

out, recording = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
column = lambda name: np.load(recording / f"{name}.npz")["arr_0"]
lengths, offsets = column("ep_len"), column("ep_offset")
data = LanceDataset(path=out)
np.testing.assert_array_equal(data.lengths, lengths)
np.testing.assert_array_equal(data.offsets, offsets)
names = [path.stem for path in recording.glob("*.npz") if path.stem not in ("ep_len", "ep_offset", "episode_idx", "step_idx")]
assert sorted(data.column_names) == sorted([*names, "pixels"]), data.column_names
for name in names:
    wanted = column(name).astype(np.float32)
    np.testing.assert_array_equal(data.get_col_data(name), wanted.reshape(len(wanted), -1))
worst, sums = 0, []
for episode, length in enumerate(lengths):
    with av.open(recording / f"pixels/ep_{episode}.mp4") as video:
        frames = np.stack([frame.to_ndarray(format="rgb24") for frame in video.decode(video=0)]).astype(int)
    found = np.asarray(data._load_slice(episode, 0, int(length))["pixels"]).transpose(0, 2, 3, 1)
    difference = np.abs(found - frames)
    worst = max(worst, difference.max())
    sums.append(difference.mean())
assert np.mean(sums) < 1.5, np.mean(sums)
print(f"{len(lengths)} episodes, {lengths.sum()} moments: the numbers the same, samples differ by at most {worst}, {np.mean(sums):.2f} in the mean")
