"""read.py DIR EPISODES: opens what `prevision data convert EPISODES --to lerobot --out DIR` wrote with the package `lerobot`, and compares
every number, and every frame that its own reader decodes, with the recording.

    pip install lerobot==0.4.4 && python read.py DIR EPISODES
"""
import os, sys

os.environ.setdefault("HF_HUB_OFFLINE", "1")
import av
import numpy as np
from lerobot.datasets.lerobot_dataset import LeRobotDataset

out, recording = sys.argv[1:3]
data = LeRobotDataset("me/converted", root=out, video_backend="pyav")
column = lambda name: np.load(f"{recording}/{name}.npz")["arr_0"]
lengths, action, state = column("ep_len"), column("action"), column("state")
assert data.num_episodes == len(lengths) and data.num_frames == lengths.sum(), (data.num_episodes, data.num_frames)
rows = data.hf_dataset.with_format("numpy")
np.testing.assert_array_equal(np.stack(rows["action"]), action)
np.testing.assert_array_equal(np.stack(rows["observation.state"]), state)
for episode, length in enumerate(lengths):
    with av.open(f"{recording}/pixels/ep_{episode}.mp4") as video:
        frames = [frame.to_ndarray(format="rgb24") for frame in video.decode(video=0)]
    start = lengths[:episode].sum()
    for moment in {0, int(length) // 2, int(length) - 1}:
        item = data[int(start + moment)]
        found = (item["observation.images.pixels"].numpy().transpose(1, 2, 0) * 255).round()
        difference = np.abs(found - frames[moment]).mean()
        assert difference < 1, (episode, moment, difference)
        assert item["task"] == "unknown" and int(item["episode_index"]) == episode
print(f"{len(lengths)} episodes, {lengths.sum()} moments: the same")
