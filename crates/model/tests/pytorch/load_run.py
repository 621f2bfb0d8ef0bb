"""Loads weights that prevision wrote into the same network written in PyTorch, and compares what both compute of the same inputs.

    python3 -m venv venv && venv/bin/pip install torch==2.15.0 numpy==2.4.6 safetensors==0.8.0
    venv/bin/python crates/model/tests/pytorch/load_run.py runs/two-rooms    # the newest checkpoint of each run that is named
    venv/bin/python crates/model/tests/pytorch/load_run.py                   # random weights for the networks of cases.json

prevision's side is `cargo run --release --example outputs`, which this script starts. Needs Python 3.11.
"""

import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import tomllib

from safetensors import safe_open
from safetensors.torch import load_file

from networks import model_of, outputs_of

FOLDER = pathlib.Path(__file__).parent
TOLERANCE = 1e-5


def description_of(checkpoint):
    """What `networks.py` must know of a checkpoint's network, see there."""
    config = tomllib.loads((checkpoint / "config.toml").read_text())
    state = json.loads((checkpoint / "state.json").read_text())
    spaces = state["spaces"]
    frames, ((height, width),) = spaces["frames"], [camera.values() for camera in spaces["cameras"].values()]
    action = spaces["action"] or {"dim": 0}
    width_of_action = action.get("dim") or action.get("count") or len(action.get("low", []))
    with safe_open(checkpoint / "model.safetensors", "pt") as file:
        heads = sorted({name.split(".")[1] for name in file.keys() if name.startswith("heads.")})
    description = {
        "input": {
            "channels": 3,
            "frames": frames,
            "height": height,
            "width": width,
            "action_dim": spaces["frame_step"] * width_of_action,
            "state_dim": spaces["state"] or 0,
        },
        "heads": heads,
        "model": config["model"],
    }
    if config["model"]["kind"] == "masked":
        encoder = config["model"]["encoder"]
        tokens = (frames // encoder["tubelet"]) * (height // encoder["patch"]) * (width // encoder["patch"])
        seen = list(range(0, tokens, 3))
        description["mask"] = {"context": [seen] * 2, "target": [[id for id in range(tokens) if id not in seen]] * 2}
    return description


def compare(name, description, weights=None):
    """Largest difference of an output, over the largest value of that output where it is above 1."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        (folder / "description.json").write_text(json.dumps(description))
        if weights:
            shutil.copy(weights, folder / "model.safetensors")
        command = ["cargo", "run", "--quiet", "--release", "--package", "prevision-model", "--example", "outputs"]
        subprocess.run([*command, "--", str(folder)], check=True, cwd=FOLDER)
        model = model_of(description)
        model.load_state_dict(load_file(folder / "model.safetensors"), strict=True)
        outputs = outputs_of(model, description, load_file(folder / "inputs.safetensors"))
        theirs = load_file(folder / "outputs.safetensors")
    assert outputs.keys() == theirs.keys(), f"{name}: outputs {sorted(outputs)} and {sorted(theirs)}"
    good = True
    for key, expected in outputs.items():
        assert theirs[key].shape == expected.shape, f"{name}: {key} is {theirs[key].shape}, expected {expected.shape}"
        error = ((theirs[key] - expected).abs().max() / expected.abs().max().clamp(min=1)).item()
        good &= error <= TOLERANCE
        print(f"{name}: {key} {list(expected.shape)} differs by {error:.1e}{'' if error <= TOLERANCE else ', too much'}")
    return good


def main():
    good = True
    for run in map(pathlib.Path, sys.argv[1:]):
        checkpoint = run / "checkpoints" / (run / "checkpoints" / "latest").read_text().strip()
        good &= compare(run.name, description_of(checkpoint), checkpoint / "model.safetensors")
    if not sys.argv[1:]:
        for name, description in json.loads((FOLDER / "cases.json").read_text()).items():
            good &= compare(name, description)
    sys.exit(0 if good else f"differences above {TOLERANCE}")


main()
