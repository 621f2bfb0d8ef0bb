"""Videos of one moving digit or character each, for probes: 64 x 64 pixels, 15 frames a second, 6 seconds, with manifests.

    pip install numpy av pillow
    python moving.py MNIST OUT --videos 400

SOURCE is a folder with MNIST's `images-idx3-ubyte.gz` and `labels-idx1-ubyte.gz`, of which digits are drawn at random, or a zip file of
Omniglot, `…/ALPHABET/CHARACTER/DRAWING.png`, of which every drawing is taken once, in a random order. `labels.csv` has the digit or the
number of the character, `alphabets.csv` that of the alphabet.
"""

import argparse
import gzip
import io
import pathlib
import zipfile

import av
import numpy as np
import PIL.Image
import PIL.ImageOps

SIDE, DIGIT, FRAMES, RATE = 64, 28, 90, 15


def idx(path, header):
    return np.frombuffer(gzip.open(path).read()[header:], np.uint8)


def mnist(folder, videos, rng):
    """Pairs of a digit `[28, 28]`, white on black, and its labels by manifest."""
    images = idx(folder / "images-idx3-ubyte.gz", 16).reshape(-1, DIGIT, DIGIT)
    labels = idx(folder / "labels-idx1-ubyte.gz", 8)
    for _ in range(videos):
        chosen = rng.integers(len(images))
        yield images[chosen], {"labels": labels[chosen]}


def omniglot(file, videos, rng):
    """Pairs of a drawing `[28, 28]`, white on black, and its labels by manifest: numbers in the order of names."""
    with zipfile.ZipFile(file) as archive:
        names = sorted(name for name in archive.namelist() if name.endswith(".png"))
        characters = sorted({name.rsplit("/", 1)[0] for name in names})
        alphabets = sorted({character.rsplit("/", 1)[0] for character in characters})
        for name in rng.permutation(names)[:videos]:
            drawing = PIL.Image.open(io.BytesIO(archive.read(name))).convert("L")
            drawing = PIL.ImageOps.invert(drawing).resize((DIGIT, DIGIT), PIL.Image.Resampling.BOX)
            drawing = PIL.ImageOps.autocontrast(drawing)
            alphabet, character, _ = name.rsplit("/", 2)
            labels = {"labels": characters.index(f"{alphabet}/{character}"), "alphabets": alphabets.index(alphabet)}
            yield np.asarray(drawing), labels


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
    parser.add_argument("source", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--videos", type=int, default=400)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    rng, manifests = np.random.default_rng(0), {}
    pictures = mnist if options.source.is_dir() else omniglot
    for number, (picture, labels) in enumerate(pictures(options.source, options.videos, rng)):
        write(options.out / f"{number:04d}.mp4", picture, rng)
        for manifest, label in labels.items():
            manifests.setdefault(manifest, []).append(f"{number:04d}.mp4,{label}\n")
    for manifest, lines in manifests.items():
        (options.out / f"{manifest}.csv").write_text("".join(lines))
