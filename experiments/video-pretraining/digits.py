"""Videos of one moving MNIST digit each, for probes: 64 x 64 pixels, 15 frames a second, 6 seconds, with a manifest `labels.csv`.

    pip install numpy av
    python digits.py MNIST OUT --videos 400

MNIST has `images-idx3-ubyte.gz` and `labels-idx1-ubyte.gz`.
"""

import argparse
import gzip
import pathlib

import av
import numpy as np

SIDE, DIGIT, FRAMES, RATE = 64, 28, 90, 15


def idx(path, header):
    return np.frombuffer(gzip.open(path).read()[header:], np.uint8)


def write(path, digit, rng):
    free = SIDE - DIGIT
    place, angle = rng.uniform(0, free, 2), rng.uniform(0, 2 * np.pi)
    speed = rng.uniform(1.5, 3) * np.array([np.cos(angle), np.sin(angle)])
    with av.open(str(path), "w") as file:
        stream = file.add_stream("libx264", rate=RATE)
        stream.width = stream.height = SIDE
        stream.pix_fmt, stream.options = "yuv420p", {"crf": "10", "g": str(RATE)}
        for _ in range(FRAMES):
            place = place + speed
            for axis in range(2):
                if not 0 <= place[axis] <= free:
                    place[axis] = -place[axis] if place[axis] < 0 else 2 * free - place[axis]
                    speed[axis] = -speed[axis]
            frame = np.zeros((SIDE, SIDE, 3), np.uint8)
            column, row = np.round(place).astype(int)
            frame[row : row + DIGIT, column : column + DIGIT] = digit[..., None]
            file.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        file.mux(stream.encode())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mnist", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--videos", type=int, default=400)
    options = parser.parse_args()
    images = idx(options.mnist / "images-idx3-ubyte.gz", 16).reshape(-1, DIGIT, DIGIT)
    labels = idx(options.mnist / "labels-idx1-ubyte.gz", 8)
    options.out.mkdir(parents=True, exist_ok=True)
    rng, lines = np.random.default_rng(0), []
    for number in range(options.videos):
        chosen = rng.integers(len(images))
        write(options.out / f"{number:04d}.mp4", images[chosen], rng)
        lines.append(f"{number:04d}.mp4,{labels[chosen]}")
    (options.out / "labels.csv").write_text("\n".join(lines) + "\n")
