"""Reads a run's event files with TensorBoard's own reader and checks scalars, pictures and histograms.

    pip install tensorboard numpy
    cargo nextest run --release -p prevision-train tensorboard_files
    python crates/train/tests/tensorboard/read_events.py target/tmp/tensorboard-run

The test leaves a run of 12 steps, killed after 7 and resumed from 4, in target/tmp/tensorboard-run.
"""

import io
import json
import pathlib
import sys

import numpy as np
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

run = pathlib.Path(sys.argv[1])
events = EventAccumulator(str(run / "tensorboard"), size_guidance={"scalars": 0, "images": 0, "histograms": 0})
events.Reload()
tags = events.Tags()
lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]


def check(condition, message):
    if not condition:
        sys.exit(f"failed: {message}")


# Scalars say what metrics.jsonl says, each step once.
expected = {f"loss/{name}": (lambda line, name=name: line["loss"][name]) for name in lines[0]["loss"]}
for name in ["learning_rate", "gradient_norm", "momentum", "clips_per_second"]:
    expected[name] = lambda line, name=name: line[name]
check(set(expected) <= set(tags["scalars"]), f"scalars {sorted(tags['scalars'])} lack {sorted(set(expected) - set(tags['scalars']))}")
for tag, value in expected.items():
    found = [(event.step, event.value) for event in events.Scalars(tag)]
    wanted = [(line["step"], value(line)) for line in lines]
    check([step for step, _ in found] == [step for step, _ in wanted], f"{tag}: steps {found} are not {wanted}")
    np.testing.assert_allclose([v for _, v in found], [v for _, v in wanted], rtol=1e-6, err_msg=tag)

# Pictures open, have the size they claim, and carry both crosses.
check(tags["images"] == ["clip"], f"images {tags['images']}")
for event in events.Images("clip"):
    picture = Image.open(io.BytesIO(event.encoded_image_string))
    check(picture.size == (event.width, event.height), f"a picture of {picture.size} claims {event.width}x{event.height}")
    pixels = np.asarray(picture).reshape(-1, 3)
    check((pixels == [0, 255, 0]).all(axis=1).any(), "no true position in the picture")

# Histograms are complete.
groups = {tag.split("/")[0] for tag in tags["histograms"]}
check(groups == {"gradients", "parameters", "latents"}, f"histograms {groups}")
for tag in tags["histograms"]:
    for event in events.Histograms(tag):
        values = event.histogram_value
        check(sum(values.bucket) == values.num, f"{tag}: buckets hold {sum(values.bucket)} of {values.num}")
        check(values.min <= values.sum / values.num <= values.max, f"{tag}: mean outside of its range")
        check(values.bucket_limit[-1] >= values.max * (1 - 1e-9) or values.max < 0, f"{tag}: last bucket ends below the maximum")

print(f"{len(expected)} scalars x {len(lines)}, {len(events.Images('clip'))} pictures, {len(tags['histograms'])} histograms: read by TensorBoard")
