"""images.py OUT: writes a small data set of pictures inside Parquet, and of two tasks, with the package `lerobot`.

    pip install lerobot==0.3.3 && python images.py images-v2.1
    pip install lerobot==0.4.4 && python images.py images-v3.0

Sample `channel` of the pixel in row `y` and column `x` of moment `t` in episode `e` is (7 x + 3 y + 50 channel + 11 t + 40 e) modulo 256.
"""
import inspect, os, pathlib, shutil, sys

os.environ.setdefault("HF_HUB_OFFLINE", "1")
import numpy as np
from lerobot.datasets.lerobot_dataset import LeRobotDataset

LENGTHS = [5, 7]

features = {
    "observation.images.top": {"dtype": "image", "shape": (24, 32, 3), "names": ["height", "width", "channels"]},
    "action": {"dtype": "float32", "shape": (2,), "names": ["x", "y"]},
}
data = LeRobotDataset.create("me/pictures", fps=10, features=features, root=pathlib.Path(sys.argv[1]), use_videos=False)
y, x, channel = np.mgrid[0:24, 0:32, 0:3]
for episode, length in enumerate(LENGTHS):
    for moment in range(length):
        picture = ((7 * x + 3 * y + 50 * channel + 11 * moment + 40 * episode) % 256).astype(np.uint8)
        frame = {"observation.images.top": picture, "action": np.array([episode, moment], np.float32)}
        task = "push" if episode == 0 or moment < 4 else "lift the cup"
        if "task" in inspect.signature(data.add_frame).parameters:
            data.add_frame(frame, task=task)
        else:
            data.add_frame({**frame, "task": task})
    data.save_episode()
if hasattr(data, "finalize"):
    data.finalize()
# The package leaves an empty folder, or the pictures that it has put into the tables.
shutil.rmtree(pathlib.Path(sys.argv[1]) / "images", ignore_errors=True)
