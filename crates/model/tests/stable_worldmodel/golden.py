"""Small LeWMs of stable-worldmodel with random weights, and what it makes of them: golden files for import, export and rollouts.

    pip install torch torchvision transformers==5.24.0 stable-worldmodel==0.1.1 hydra-core imageio safetensors
    python golden.py golden

`lewm` is a checkpoint as `save_pretrained` writes it, `lewm-older` the same model with the names that `transformers` had before version 5 and
`vit_hf` of stable-pretraining in its config.json, as released weights have them. `golden.safetensors`: what goes in, and what comes out.
"""

import copy
import json
import pathlib
import re
import shutil
import sys
import tempfile

import torch
from hydra.utils import instantiate
from omegaconf import OmegaConf
from safetensors.torch import save_file
from stable_worldmodel.wm.utils import save_pretrained
from torchvision.transforms import v2

WIDTH, ACTION, SIDE, PATCH = 24, 4, 32, 8
MODULE = "stable_worldmodel.wm.lewm.module."
MLP = {"_target_": MODULE + "MLP", "input_dim": WIDTH, "output_dim": WIDTH, "hidden_dim": 20, "norm_fn": {"_target_": "torch.nn.BatchNorm1d", "_partial_": True}}
VIT = {"hidden_size": WIDTH, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 40, "patch_size": PATCH, "image_size": SIDE}
CONFIG = {
    "_target_": "stable_worldmodel.wm.lewm.LeWM",
    "encoder": {"_target_": "transformers.ViTModel", "config": {"_target_": "transformers.ViTConfig", **VIT}, "add_pooling_layer": False},
    "predictor": {"_target_": MODULE + "Predictor", "num_frames": 3, "depth": 2, "heads": 3, "dim_head": 8, "mlp_dim": 36, "input_dim": WIDTH, "hidden_dim": WIDTH, "output_dim": WIDTH, "dropout": 0.1},
    "action_encoder": {"_target_": MODULE + "Embedder", "input_dim": ACTION, "smoothed_dim": 6, "emb_dim": WIDTH, "mlp_scale": 2},
    "projector": MLP,
    "pred_proj": {**MLP, "hidden_dim": 28},
}
OLDER = {**CONFIG, "encoder": {"_target_": "stable_pretraining.backbone.utils.vit_hf", "size": "tiny", "pretrained": False, "use_mask_token": False, **VIT}}
NAMES = [
    (r"^encoder\.layers\.", "encoder.encoder.layer."),
    (r"attention\.q_proj", "attention.attention.query"),
    (r"attention\.k_proj", "attention.attention.key"),
    (r"attention\.v_proj", "attention.attention.value"),
    (r"attention\.o_proj", "attention.output.dense"),
    (r"(encoder\.layer\.\d+\.)mlp\.fc1", r"\1intermediate.dense"),
    (r"(encoder\.layer\.\d+\.)mlp\.fc2", r"\1output.dense"),
]


def randomise(model, generator):
    """Numbers large enough that every part of the model matters, running statistics among them."""
    with torch.no_grad():
        for name, value in model.state_dict().items():
            drawn = torch.randn(value.shape, generator=generator)
            if name.endswith("running_var"):
                value.copy_(0.2 + drawn.abs())
            elif name.endswith("num_batches_tracked"):
                value.fill_(7)
            elif value.ndim == 1 and "bias" not in name and "mean" not in name:
                value.copy_(1 + 0.2 * drawn)
            elif value.ndim <= 1:
                value.copy_(0.2 * drawn)
            else:
                fan_in = value[0].numel() if "token" not in name and "pos" not in name else 1
                value.copy_(drawn * (1.5 / fan_in**0.5 if fan_in > 1 else 0.5))


def older(state):
    renamed = {}
    for name, value in state.items():
        for current, before in NAMES:
            name = re.sub(current, before, name)
        renamed[name] = value
    return renamed


@torch.no_grad()
def outputs(model, generator):
    draw = lambda *shape: torch.randn(shape, generator=generator)
    pixels, wide = draw(2, 3, 3, SIDE, SIDE), draw(1, 1, 3, 24, 48)
    emb = model.encode({"pixels": pixels})["emb"]
    window = draw(2, 3, ACTION)
    # Candidates from a past of two frames: more steps than the window has places.
    candidates = draw(1, 5, 6, ACTION)
    info = {"pixels": pixels[None, :1, :2].expand(1, 5, -1, -1, -1, -1), "goal": pixels[None, :1, 2:].expand(1, 5, -1, -1, -1, -1), "action": torch.zeros(1, 5, 1, ACTION)}
    cost = model.get_cost(info, candidates)
    # What its evaluation makes of a picture that a world shows (scripts/plan/eval_wm.py).
    picture = torch.randint(0, 256, [3, 20, 37], generator=generator, dtype=torch.uint8)
    statistics = {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}
    seen = v2.Compose([v2.ToImage(), v2.ToDtype(torch.float32, scale=True), v2.Normalize(**statistics), v2.Resize(size=SIDE)])(picture)
    # A projector while it is trained: the norm of the rows at hand, which moves the running one.
    trained, rows = copy.deepcopy(model.projector).train(), draw(6, WIDTH)
    projected = trained(rows)
    return {
        "rows": rows,
        "projected": projected,
        "running_mean": trained.net[1].running_mean,
        "running_var": trained.net[1].running_var,
        "pixels": pixels,
        "emb": emb,
        "wide": wide,
        "wide_emb": model.encode({"pixels": wide})["emb"],
        "window": window,
        "predicted": model.predict(emb, model.action_encoder(window)),
        "candidates": candidates[0],
        "rollout": info["predicted_emb"][0],
        "cost": cost[0],
        "picture": picture.permute(1, 2, 0).int(),
        "seen": seen,
    }


def main(folder):
    generator = torch.Generator().manual_seed(0)
    model = instantiate(CONFIG).eval()
    randomise(model, generator)
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "lewm-older").mkdir(parents=True)
    with tempfile.TemporaryDirectory() as cache:
        save_pretrained(model, "lewm", config=OmegaConf.create(CONFIG), cache_dir=cache)
        shutil.copytree(pathlib.Path(cache) / "checkpoints" / "lewm", folder / "lewm")
    torch.save(older(model.state_dict()), folder / "lewm-older" / "weights_epoch_3.pt")
    (folder / "lewm-older" / "config.json").write_text(json.dumps(OLDER, indent=2) + "\n")
    found = {key: value.contiguous() for key, value in outputs(model, generator).items()}
    save_file(found, folder / "golden.safetensors")
    print(sum(p.numel() for p in model.parameters()), {key: list(value.shape) for key, value in found.items()})


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
