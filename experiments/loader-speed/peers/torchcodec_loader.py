"""torchcodec: decoding at full size, scaling with torch."""

from torchcodec.decoders import VideoDecoder

from common import Kept
from torch_tail import finish, resize


def shape(frames, size):
    return (frames, 3, size, size)


def reader(output, **options):
    # "exact" is slower to open than "approximate", but the other one is off by one on some files.
    videos = Kept(
        lambda path: VideoDecoder(path, dimension_order="NHWC", num_ffmpeg_threads=1, seek_mode="exact", **options)
    )

    def read(path, indices):
        frames = videos(path).get_frames_at(indices=indices).data
        return finish(resize(frames, output), output)

    return read
