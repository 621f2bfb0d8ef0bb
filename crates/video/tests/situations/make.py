"""make.py: small films that are easily read wrong, made by FFmpeg 5.1 and then changed.

    pip install numpy
    python make.py

The top quarter of frame `n` shows `n` in eight cells, most significant bit first, white = 1; below, a block moves.

    joined.mkv              two films of Motion JPEG, one file behind the other: times begin again at frame 12
    without_offsets.mp4     MPEG-4 with B-frames, without the table of offsets from decoding to showing (`ctts`) and without an edit list
    every_frame_flagged.mov Graphics (SMC), whose packets are all flagged as key frames, but build on each other
    rgb48.mov               two pictures of one colour, (51, 102, 153), in 16 bits
"""
import pathlib, struct, subprocess

import numpy as np

HERE = pathlib.Path(__file__).parent
WIDTH, HEIGHT, FRAMES = 64, 32, 24


def frames(black=0):
    out = np.zeros((FRAMES, HEIGHT, WIDTH, 3), np.uint8)
    for n in range(black, FRAMES):
        for bit in range(8):
            out[n, : HEIGHT // 4, bit * 8 : bit * 8 + 8] = 255 * (n >> (7 - bit) & 1)
        out[n, 16:24, 2 * n : 2 * n + 8] = (200, 40, 40)
    return out


def encode(name, pictures, *codec):
    size = f"{pictures.shape[2]}x{pictures.shape[1]}"
    command = ["ffmpeg", "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", size, "-r", "25", "-i", "-", *codec]
    subprocess.run([*command, "-fflags", "+bitexact", "-flags", "+bitexact", HERE / name], input=pictures.tobytes(), check=True)


for part in [0, 1]:
    encode(f"part{part}.mkv", frames()[part * 12 : part * 12 + 12], "-c:v", "mjpeg", "-q:v", "3")
parts = [HERE / "part0.mkv", HERE / "part1.mkv"]
(HERE / "joined.mkv").write_bytes(b"".join(part.read_bytes() for part in parts))
for part in parts:
    part.unlink()
encode("without_offsets.mp4", frames(), "-c:v", "mpeg4", "-q:v", "2", "-g", "12", "-bf", "2")
film = HERE / "without_offsets.mp4"
film.write_bytes(film.read_bytes().replace(b"ctts", b"free").replace(b"edts", b"free"))
# Black for four frames, so that parts of later ones are what they were when decoding began.
encode("every_frame_flagged.mov", frames(4), "-c:v", "smc", "-pix_fmt", "pal8", "-g", "1000")
film = HERE / "every_frame_flagged.mov"
data = film.read_bytes()
assert b"stss" in data
film.write_bytes(data.replace(b"stss", b"free"))
encode("rgb48.mov", np.tile(np.array([51, 102, 153], np.uint8), (2, 16, 16, 1)), "-c:v", "png", "-pix_fmt", "rgb48be")
