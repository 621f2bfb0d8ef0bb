"""PyAV: the times of all packets once per video, a seek to the key frame before, swscale to the scaled size."""

import av
import numpy
import torch

from common import Kept
from torch_tail import finish
from torchcodec_loader import shape


class Video:
    def __init__(self, path):
        self.container = av.open(path)
        self.stream = self.container.streams.video[0]
        self.stream.thread_type = "NONE"
        self.stream.codec_context.thread_count = 1
        packets = list(self.container.demux(self.stream))
        self.times = sorted(packet.pts for packet in packets if packet.pts is not None)

    def frames(self, indices):
        """Yields the frames of ascending `indices`."""
        wanted = [self.times[index] for index in indices]
        self.container.seek(wanted[0], stream=self.stream, backward=True)
        place = 0
        for frame in self.container.decode(self.stream):
            while place < len(wanted) and frame.pts == wanted[place]:
                yield frame
                place += 1
            if place == len(wanted):
                return
        raise ValueError(f"only {place} of {len(wanted)} frames came")


def reader(output):
    videos = Kept(Video)

    def read(path, indices):
        pictures = []
        for frame in videos(path).frames(indices):
            width, height = output.scaled(frame.width, frame.height)
            pictures.append(frame.to_ndarray(format="rgb24", width=width, height=height, interpolation="BILINEAR"))
        return finish(torch.from_numpy(numpy.stack(pictures)), output)

    return read
