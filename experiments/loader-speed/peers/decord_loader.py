"""decord: decoding at full size, scaling with torch."""

import decord
import torch

from common import Kept
from torch_tail import finish, resize
from torchcodec_loader import shape


def reader(output):
    videos = Kept(lambda path: decord.VideoReader(path, ctx=decord.cpu(0), num_threads=1))

    def read(path, indices):
        frames = torch.from_numpy(videos(path).get_batch(indices).asnumpy())
        return finish(resize(frames, output), output)

    return read
