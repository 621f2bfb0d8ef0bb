"""torchcodec, scaling while decoding (its decoder transforms)."""

import torchcodec
from torchcodec.decoders import VideoDecoder
from torchcodec.transforms import Resize

from common import Kept
from torch_tail import finish
from torchcodec_loader import shape


def reader(output):
    def opener(path):
        plain = VideoDecoder(path, seek_mode="approximate")
        width, height = output.scaled(plain.metadata.width, plain.metadata.height)
        return VideoDecoder(
            path,
            dimension_order="NHWC",
            num_ffmpeg_threads=1,
            seek_mode="exact",
            transforms=[Resize((height, width))],
        )

    videos = Kept(opener)

    def read(path, indices):
        return finish(videos(path).get_frames_at(indices=indices).data, output)

    return read
