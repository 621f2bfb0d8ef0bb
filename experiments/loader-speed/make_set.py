#!/usr/bin/env python3
"""A set of many short videos of mixed codecs, containers, sizes and lengths, cut out of a folder of videos, by the ffmpeg command.

    python make_set.py FOLDER OUT [--files 144] [--seed 0]

As public sets of clips are: most of them H.264 in MP4, some seconds long, with few key frames.
"""

import argparse
import json
import pathlib
import random
import subprocess

# Codec, container, the encoder's arguments, and how often of 16.
KINDS = [
    ("h264", "mp4", "-c:v libx264 -preset fast", 6),
    ("h264-small-groups", "mp4", "-c:v libx264 -preset veryfast -g 30 -bf 2", 2),
    ("h264-webcam", "mkv", "-c:v libx264 -preset veryfast -tune zerolatency -g 60", 1),
    ("hevc", "mp4", "-c:v libx265 -preset ultrafast -x265-params log-level=none -tag:v hvc1", 2),
    ("vp9", "webm", "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -b:v 600k", 2),
    ("mpeg4", "avi", "-c:v mpeg4 -q:v 4 -g 60", 1),
    ("mpeg2", "ts", "-c:v mpeg2video -q:v 4 -bf 2", 1),
    ("mjpeg", "mov", "-c:v mjpeg -q:v 4 -pix_fmt yuvj420p", 1),
]
# Short side in pixels, None for that of the source.
SIZES = [240, 256, 256, 320, 360, 480, None]


def length(path):
    """Seconds of video in a file, 0 if it has none."""
    command = ["ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries", "stream=width,height:format=duration", "-of", "json"]
    done = subprocess.run([*command, path], capture_output=True, text=True)
    try:
        found = json.loads(done.stdout)
        return float(found["format"]["duration"]) if found.get("streams") else 0.0
    except (KeyError, ValueError):
        return 0.0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--files", type=int, default=144)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    chance = random.Random(arguments.seed)
    sources = [(path, length(path)) for path in sorted(arguments.folder.iterdir()) if path.is_file()]
    sources = [(path, seconds) for path, seconds in sources if seconds >= 4]
    arguments.out.mkdir(parents=True, exist_ok=True)
    kinds = [kind for kind in KINDS for _ in range(kind[3])]
    for number in range(arguments.files):
        (name, container, encoder, _), (path, seconds) = kinds[number % len(kinds)], sources[number % len(sources)]
        take = min(seconds, chance.choice([3, 4, 6, 8, 10, 10, 10, 15, 30]))
        begin, side = chance.uniform(0, seconds - take), chance.choice(SIZES)
        scale = "scale=trunc(iw/2)*2:trunc(ih/2)*2" if side is None else f"scale='if(gt(iw,ih),-2,{side})':'if(gt(iw,ih),{side},-2)'"
        out = arguments.out / f"{number:03d}-{name}.{container}"
        command = ["ffmpeg", "-v", "error", "-y", "-ss", f"{begin:.2f}", "-t", f"{take:.2f}", "-i", path, "-an", "-vf", f"{scale},fps=25"]
        subprocess.run([*command, "-pix_fmt", "yuv420p", *encoder.split(), out], check=True)
    print(f"{arguments.files} files of {len(sources)} sources in {arguments.out}")


if __name__ == "__main__":
    main()
