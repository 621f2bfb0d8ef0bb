"""read.py DIR EPISODES: opens what `prevision data convert EPISODES --to folder --out DIR` wrote with stable-worldmodel's own reader, and
compares every number, and every picture with the recording, a folder of pictures, too, as Pillow decodes it. See `../upstream.py`.
"""
import pathlib, sys

import numpy as np
from PIL import Image

sys.path.append(str(pathlib.Path(__file__).parents[1]))
from upstream import load

FolderDataset = load("folder").FolderDataset

out, recording = (pathlib.Path(name) for name in sys.argv[1:3])
lengths = np.load(recording / "ep_len.npz")["arr_0"]
data = FolderDataset(path=out)
assert list(data.lengths) == list(lengths)
worst = 0
for episode, length in enumerate(lengths):
    steps = data._load_slice(episode, 0, int(length))
    start = lengths[:episode].sum()
    for name, found in steps.items():
        if not (recording / name).is_dir():
            wanted = np.load(recording / f"{name}.npz")["arr_0"][start : start + length].astype(np.float32)
            np.testing.assert_array_equal(np.asarray(found).reshape(length, -1), wanted.reshape(length, -1))
            continue
        for step, picture in enumerate(np.asarray(found).transpose(0, 2, 3, 1)):
            (path,) = (recording / name).glob(f"ep_{episode}_step_{step}.*")
            wanted = np.array(Image.open(path).convert("RGB")).astype(int)
            difference = np.abs(picture - wanted)
            assert difference.mean() < 1.5, (name, episode, step, difference.mean())
            worst = max(worst, difference.max())
print(f"{len(lengths)} episodes, {lengths.sum()} moments: the numbers the same, samples differ by at most {worst}")
