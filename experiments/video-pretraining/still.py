"""How much the latents of a video that stands still change from one tubelet to the next: what a model can foresee without looking.

    pip install numpy opencv-python safetensors
    python still.py PREVISION MODEL VIDEOS

MODEL is a file of `prevision import`. The clips are the first frames of those of `linear.py`, repeated; latents are layer-normed, as in the
ratio that `eval` prints, and of the second tubelet against the third and the fourth.
"""

import argparse
import pathlib
import subprocess
import tempfile

import numpy as np
from linear import FRAMES, MEAN, STD, TUBELET, clips
from safetensors.numpy import load_file


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("prevision", type=pathlib.Path)
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("videos", type=pathlib.Path)
    options = parser.parse_args()
    pixels, _ = clips(options.videos, 0.25)
    pixels = np.repeat(pixels[:, :1], FRAMES, 1)
    with tempfile.TemporaryDirectory() as folder:
        given, out = pathlib.Path(folder) / "clips.npy", pathlib.Path(folder) / "features.safetensors"
        np.save(given, ((pixels / 255 - MEAN) / STD).transpose(0, 4, 1, 2, 3).astype(np.float32))
        subprocess.run([options.prevision, "encode", options.model, "--tensor", given, "--out", out], check=True, stdout=subprocess.DEVNULL)
        features = load_file(out)["features"]
    latents = features.reshape(len(pixels), FRAMES // TUBELET, -1, features.shape[-1])
    latents = (latents - latents.mean(-1, keepdims=True)) / np.sqrt(latents.var(-1, keepdims=True) + 1e-5)
    changes = [((latents[:, 1 + ahead] - latents[:, 1]) ** 2).mean() for ahead in (1, 2)]
    print("change of still videos, 1 and 2 tubelets ahead: {:.3f} {:.3f}".format(*changes))


if __name__ == "__main__":
    main()
