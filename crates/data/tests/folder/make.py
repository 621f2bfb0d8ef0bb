"""make.py OUT: writes three short episodes with stable-worldmodel's own writer of its `folder` format, and `expected.json` with their
numbers and the pictures as Pillow decodes them. See `../upstream.py` for what to install.

    python make.py .     # recording/, expected.json

Two of the pictures are replaced by a .jpg and a .png, which readers accept, too.
"""
import base64, json, pathlib, shutil, sys

import numpy as np
from PIL import Image

sys.path.append(str(pathlib.Path(__file__).parents[1]))
from upstream import load

FolderWriter = load("folder").FolderWriter

LENGTHS = [4, 6, 3]
HEIGHT, WIDTH = 24, 32


def main():
    out = pathlib.Path(sys.argv[1])
    root = out / "recording"
    shutil.rmtree(root, ignore_errors=True)
    random = np.random.default_rng(4)
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
    expected = {"lengths": LENGTHS, "columns": {}, "cameras": {"pixels": [], "depth": []}}
    with FolderWriter(root, mode="overwrite") as writer:
        for episode, length in enumerate(LENGTHS):
            light = [np.clip(1.5 - np.hypot(columns - 4 - 4 * t, rows - 6 - 3 * t) / 5, 0, 1)[..., None] for t in range(length)]
            data = {
                "pixels": np.stack([30 + near * np.array([200, 150 - 60 * episode, 40]) for near in light]).astype(np.uint8),
                "depth": np.stack([250 - near * 100 for near in light]).astype(np.uint8),
                "action": random.normal(size=(length, 2)).astype(np.float32),
                "proprio": random.normal(size=(length, 2, 2)),
                "step_idx": np.arange(length),
                "done": np.arange(length) == length - 1,
            }
            data["action"][-1] = np.nan
            writer.write_episode({name: list(values) for name, values in data.items()})
    picture = lambda episode, step, extension: root / "pixels" / f"ep_{episode}_step_{step}.{extension}"
    picture(1, 2, "jpeg").rename(picture(1, 2, "jpg"))
    Image.open(picture(2, 1, "jpeg")).save(picture(2, 1, "png"))
    picture(2, 1, "jpeg").unlink()
    for camera, frames in expected["cameras"].items():
        for episode, length in enumerate(LENGTHS):
            for step in range(length):
                (path,) = (root / camera).glob(f"ep_{episode}_step_{step}.*")
                frames.append(base64.b16encode(np.array(Image.open(path).convert("RGB")).tobytes()).decode())
    for name in ["action", "proprio", "step_idx", "done"]:
        values = np.load(root / f"{name}.npz")["arr_0"]
        # The bits of float32, as they are read.
        expected["columns"][name] = values.astype(np.float32).view(np.uint32).ravel().tolist()
    (out / "expected.json").write_text(json.dumps(expected, separators=(",", ":")) + "\n")


main()
