"""Writes `golden/`: for every network of `cases.json` random weights of PyTorch's (`NAME.safetensors`, its `state_dict`), and inputs with
the outputs that PyTorch computes of them (`NAME-outputs.safetensors`). `tests/it/pytorch.rs` loads them and must compute the same.

    python3 -m venv venv && venv/bin/pip install torch==2.15.0 numpy==2.4.6 safetensors==0.8.0
    venv/bin/python crates/model/tests/pytorch/golden.py
"""

import json
import pathlib

import torch
from safetensors.torch import save_file

from networks import model_of, outputs_of

# What tells prevision that linear layers are `[outputs, inputs]`.
METADATA = {"format": "pt", "prevision_format": "2"}

folder = pathlib.Path(__file__).parent
(folder / "golden").mkdir(exist_ok=True)
for number, (name, description) in enumerate(json.loads((folder / "cases.json").read_text()).items()):
    torch.manual_seed(number)
    model = model_of(description)
    with torch.no_grad():
        for parameter_name, parameter in model.named_parameters():
            if "norm" in parameter_name or "carry" in parameter_name:
                parameter.add_(0.2 * torch.randn_like(parameter))
    weights = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    shape = description["input"]
    inputs = {
        "video": torch.randn(2, *(shape[it] for it in ("channels", "frames", "height", "width"))),
        "actions": torch.randn(2, shape["frames"] - 1, shape["action_dim"]),
    }
    outputs = outputs_of(model, description, inputs)
    save_file(weights, folder / "golden" / f"{name}.safetensors", METADATA)
    save_file(inputs | outputs, folder / "golden" / f"{name}-outputs.safetensors", METADATA)
