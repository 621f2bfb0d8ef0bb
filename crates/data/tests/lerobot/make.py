"""make.py OUT [PUSHT]: writes a small data set with the package `lerobot`, in the version of its format that the installed one has.

    pip install lerobot==0.3.3   # v2.1
    pip install lerobot==0.4.4   # v3.0
    python make.py v3.0

Three episodes of a disc that wanders, seen by two cameras; `expected.json` beside OUT holds the numbers and, of each frame, the mean of red,
green and blue in 4x4 cells. With the folder PUSHT (`ep_*.npz` with frames, state, action) the episodes are those in it, and no
`expected.json` is written.
"""
import glob, inspect, json, os, pathlib, sys

os.environ.setdefault("HF_HUB_OFFLINE", "1")
import numpy as np
from lerobot.datasets import lerobot_dataset, video_utils

LENGTHS = [12, 15, 18]


def disc(height, width, x, y, color):
    rows, columns = np.mgrid[0:height, 0:width]
    light = np.clip(1.5 - np.hypot(columns - x * width, rows - y * height) / (0.15 * height), 0, 1)[..., None]
    return (30 + light * (np.array(color) - 30)).astype(np.uint8)


def wander():
    random = np.random.default_rng(5)
    for length in LENGTHS:
        place, rows = random.uniform(0.3, 0.7, 2), []
        for _ in range(length):
            push = random.uniform(-0.05, 0.05, 2).astype(np.float32)
            cameras = {"top": disc(48, 64, *place, (230, 60, 40)), "side": disc(32, 32, place[1], place[0], (40, 90, 240))}
            rows.append((cameras, np.array([*place, place.sum()], np.float32), push))
            place = np.clip(place + push, 0.1, 0.9)
        yield rows


def pusht(folder):
    for name in sorted(glob.glob(f"{folder}/ep_*.npz")):
        episode = np.load(name)
        yield [
            ({"top": frame}, state.astype(np.float32), action.astype(np.float32))
            for frame, state, action in zip(episode["frames"], episode["state"], episode["action"])
        ]


def main():
    out = pathlib.Path(sys.argv[1])
    episodes = list(pusht(sys.argv[2]) if len(sys.argv) > 2 else wander())
    cameras, state, action = episodes[0][0]
    numbers = lambda values: {"dtype": "float32", "shape": values.shape, "names": [f"n{i}" for i in range(len(values))]}
    features = {"observation.state": numbers(state), "action": numbers(action)}
    for name, frame in cameras.items():
        features[f"observation.images.{name}"] = {"dtype": "video", "shape": frame.shape, "names": ["height", "width", "channels"]}
    create = lerobot_dataset.LeRobotDataset.create
    # H.264: the AV1 encoder, which is the default, hangs in worker processes on two cores.
    if "vcodec" in inspect.signature(create).parameters:
        data = create("me/disc", fps=10, features=features, root=out, vcodec="h264")
    else:
        encode = video_utils.encode_video_frames
        lerobot_dataset.encode_video_frames = lambda *a, **k: encode(*a, **{**k, "vcodec": "h264"})
        data = create("me/disc", fps=10, features=features, root=out)
    apart = "task" in inspect.signature(data.add_frame).parameters
    for rows in episodes:
        for cameras, state, action in rows:
            frame = {"observation.state": state, "action": action}
            frame.update({f"observation.images.{name}": picture for name, picture in cameras.items()})
            data.add_frame(frame, task="wander") if apart else data.add_frame({**frame, "task": "wander"})
        data.save_episode(**({} if apart else {"parallel_encoding": False}))
    if hasattr(data, "finalize"):
        data.finalize()
    if len(sys.argv) <= 2:
        cells = lambda picture: picture.reshape(4, picture.shape[0] // 4, 4, -1, 3).mean((1, 3)).round().astype(int).ravel().tolist()
        expected = [
            {
                "state": [row[1].tolist() for row in rows],
                "action": [row[2].tolist() for row in rows],
                "cameras": {name: [cells(row[0][name]) for row in rows] for name in rows[0][0]},
            }
            for rows in episodes
        ]
        out.with_name("expected.json").write_text(json.dumps(expected, separators=(",", ":")) + "\n")


main()
