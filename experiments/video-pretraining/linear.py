"""How much of what changes in latents a linear map foresees: the error of a ridge regression over that of copying, on videos it was not fitted to.

    pip install numpy opencv-python safetensors
    python linear.py PREVISION MODEL VIDEOS --spacing 0.25

MODEL is a file of `prevision import`; `--spacing` is the time between two of its 8 frames, in seconds. Each number of a latent is foretold from the same
number in the tubelets before, with weights of its own, the same for all places. `pixels` is the same of 128 principal components of a patch, whitened.
"""

import argparse
import pathlib
import subprocess
import tempfile

import cv2
import numpy as np
from safetensors.numpy import load_file

FRAMES, TUBELET, SIDE, PATCH, CLIPS, FOLDS, COMPONENTS = 8, 2, 64, 16, 6, 5, 128
MEAN, STD = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])


def frames(path):
    """Up to 900 frames, the middle square of 64 x 64, and how many a second."""
    video, found = cv2.VideoCapture(str(path)), []
    while len(found) < 900:
        there, frame = video.read()
        if not there:
            break
        height, width = frame.shape[:2]
        scale = 72 / min(height, width)
        frame = cv2.resize(frame, (max(SIDE, round(width * scale)), max(SIDE, round(height * scale))), interpolation=cv2.INTER_AREA)
        top, left = (frame.shape[0] - SIDE) // 2, (frame.shape[1] - SIDE) // 2
        found.append(frame[top : top + SIDE, left : left + SIDE, ::-1])
    return found, video.get(cv2.CAP_PROP_FPS)


def clips(folder, spacing):
    """`[clips, frames, height, width, 3]`, and the video of each."""
    rows, videos = [], []
    for number, path in enumerate(sorted(path for path in folder.rglob("*") if path.is_file() and "broken" not in path.parts)):
        found, rate = frames(path)
        span = (FRAMES - 1) * spacing * rate
        if span + 1 > len(found) or rate <= 0:
            continue
        for start in np.linspace(0, len(found) - 1 - span, CLIPS):
            rows.append(np.stack([found[round(start + spacing * rate * frame)] for frame in range(FRAMES)]))
            videos.append(number)
    return np.stack(rows), np.array(videos)


def latents_of(prevision, model, pixels):
    """Layer-normed latents of clips, `[clips, tubelets, places, numbers]`."""
    with tempfile.TemporaryDirectory() as folder:
        given, out = pathlib.Path(folder) / "clips.npy", pathlib.Path(folder) / "features.safetensors"
        np.save(given, ((pixels / 255 - MEAN) / STD).transpose(0, 4, 1, 2, 3).astype(np.float32))
        subprocess.run([prevision, "encode", model, "--tensor", given, "--out", out], check=True, stdout=subprocess.DEVNULL)
        features = load_file(out)["features"]
    latents = features.reshape(len(pixels), FRAMES // TUBELET, -1, features.shape[-1])
    return (latents - latents.mean(-1, keepdims=True)) / np.sqrt(latents.var(-1, keepdims=True) + 1e-5)


def over_copy(latents, videos, ahead):
    """Latents `[clips, tubelets, places, numbers]`."""
    seen = latents.shape[1] - 2
    last, target = latents[:, seen - 1], latents[:, seen - 1 + ahead]
    inputs = np.concatenate([latents[:, : seen - 1] - last[:, None], last[:, None]], 1).transpose(0, 2, 3, 1)
    error = copied = 0.0
    for fold in range(FOLDS):
        test = np.isin(videos, np.unique(videos)[fold::FOLDS])
        change = target - last
        for number in range(latents.shape[-1]):
            x, y = inputs[~test, :, number].reshape(-1, seen), change[~test, :, number].reshape(-1)
            weights = np.linalg.solve(x.T @ x + 0.01 * len(x) * np.eye(seen) * x.var(), x.T @ y)
            error += ((change[test, :, number] - inputs[test, :, number] @ weights) ** 2).sum()
        copied += (change[test] ** 2).sum()
    return error / copied


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("prevision", type=pathlib.Path)
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("videos", type=pathlib.Path)
    parser.add_argument("--spacing", type=float, default=0.25)
    options = parser.parse_args()
    pixels, videos = clips(options.videos, options.spacing)
    latents = latents_of(options.prevision, options.model, pixels)
    across = SIDE // PATCH
    # The first frame of each tubelet, at half its size.
    half = pixels[:, ::TUBELET].reshape(-1, across, PATCH // 2, 2, across, PATCH // 2, 2, 3).mean((3, 6)) / 255
    patches = half.transpose(0, 1, 3, 2, 4, 5).reshape(len(pixels), FRAMES // TUBELET, across * across, -1)
    flat = patches.reshape(-1, patches.shape[-1])
    values, vectors = np.linalg.eigh(np.cov(flat.T))
    whitened = (patches - flat.mean(0)) @ (vectors[:, -COMPONENTS:] / (np.sqrt(values[-COMPONENTS:].clip(0)) + 1e-4))
    print(f"{len(pixels)} clips of {len(np.unique(videos))} videos, linear over copy 1 and 2 tubelets ahead")
    for name, what in (("latents", latents), ("pixels", whitened)):
        print(f"{name:8s} {over_copy(what, videos, 1):.3f} {over_copy(what, videos, 2):.3f}")


if __name__ == "__main__":
    main()
