"""How much the latents of a video that stands still change from one tubelet to the next: what a model can foresee without looking.

    pip install numpy opencv-python safetensors
    python still.py PREVISION MODEL VIDEOS

MODEL is a file of `prevision import`. The clips are the first frames of those of `linear.py`, repeated; latents are layer-normed, as in the
ratio that `eval` prints, and of the second tubelet against the third and the fourth.
"""

import argparse
import pathlib

import numpy as np
from linear import FRAMES, clips, latents_of


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("prevision", type=pathlib.Path)
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("videos", type=pathlib.Path)
    options = parser.parse_args()
    pixels, _ = clips(options.videos, 0.25)
    latents = latents_of(options.prevision, options.model, np.repeat(pixels[:, :1], FRAMES, 1))
    changes = [((latents[:, 1 + ahead] - latents[:, 1]) ** 2).mean() for ahead in (1, 2)]
    print("change of still videos, 1 and 2 tubelets ahead: {:.3f} {:.3f}".format(*changes))


if __name__ == "__main__":
    main()
