"""Crop and normalisation of peers that deliver uint8 frames [t, h, w, 3] at the scaled size, with torch on one thread."""

import torch

from common import MEAN, STD

torch.set_num_threads(1)
SCALE = torch.tensor([1 / (255 * std) for std in STD]).view(1, 3, 1, 1)
SHIFT = torch.tensor([-mean / std for mean, std in zip(MEAN, STD)]).view(1, 3, 1, 1)


def finish(frames, output):
    """`frames`: uint8 tensor [t, h, w, 3] of the scaled size."""
    x, y = output.corner(frames.shape[2], frames.shape[1])
    part = frames[:, y : y + output.size, x : x + output.size].permute(0, 3, 1, 2)
    return part.float().mul_(SCALE).add_(SHIFT)


def resize(frames, output):
    """Scales uint8 [t, h, w, 3], bilinear with antialiasing: torch's fast path for channels-last bytes."""
    width, height = output.scaled(frames.shape[2], frames.shape[1])
    planar = frames.permute(0, 3, 1, 2)
    scaled = torch.nn.functional.interpolate(planar, size=(height, width), mode="bilinear", antialias=True)
    return scaled.permute(0, 2, 3, 1)
