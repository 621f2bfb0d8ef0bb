"""decord, scaling while decoding (its `width` and `height`)."""

import decord
import torch

from common import Kept
from torch_tail import finish
from torchcodec_loader import shape


def reader(output):
    def opener(path):
        height, width = decord.VideoReader(path, ctx=decord.cpu(0), num_threads=1)[0].shape[:2]
        width, height = output.scaled(width, height)
        return decord.VideoReader(path, ctx=decord.cpu(0), num_threads=1, width=width, height=height)

    videos = Kept(opener)

    def read(path, indices):
        return finish(torch.from_numpy(videos(path).get_batch(indices).asnumpy()), output)

    return read
