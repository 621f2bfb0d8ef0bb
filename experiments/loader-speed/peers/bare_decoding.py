"""The limit: FFmpeg decodes from the key frame before the clip to its last frame, and nobody looks at the pixels."""

import numpy

from common import Kept
from pyav_loader import Video


def shape(frames, size):
    return (1,)


def reader(output):
    videos = Kept(Video)

    def read(path, indices):
        for _ in videos(path).frames(indices):
            pass
        return numpy.zeros(1)

    return read
