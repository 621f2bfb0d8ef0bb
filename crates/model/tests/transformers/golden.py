"""Small checkpoints of transformers with random weights, and what transformers makes of them: golden files for import and export.

    pip install torch transformers==5.24.0 numpy safetensors
    python golden.py golden

Each folder has the checkpoint as `save_pretrained` writes it, and `golden.safetensors`: what goes in, and what comes out.
"""

import os
import pathlib
import sys

import torch
from safetensors.torch import save_file
from transformers import (
    Dinov2Config,
    Dinov2Model,
    Dinov2WithRegistersConfig,
    Dinov2WithRegistersModel,
    IJepaConfig,
    IJepaModel,
    ViTConfig,
    ViTModel,
    VJEPA2Config,
    VJEPA2ForVideoClassification,
    VJEPA2Model,
)

VIDEO = {"hidden_size": 24, "num_attention_heads": 2, "num_hidden_layers": 2, "patch_size": 8, "crop_size": 32, "frames_per_clip": 4}
PREDICTOR = {"pred_hidden_size": 16, "pred_num_attention_heads": 2, "pred_num_hidden_layers": 2, "pred_num_mask_tokens": 3}
IMAGE = {"hidden_size": 24, "num_attention_heads": 2, "num_hidden_layers": 3, "patch_size": 8, "image_size": 32}
CASES = {
    "vjepa2": (VJEPA2Model, VJEPA2Config(**VIDEO, **PREDICTOR)),
    "vjepa2-classifier": (
        VJEPA2ForVideoClassification,
        VJEPA2Config(**VIDEO, **PREDICTOR, num_pooler_layers=2, id2label={0: "push", 1: "pull", 2: "nothing"}, label2id={"push": 0, "pull": 1, "nothing": 2}),
    ),
    "vit": (ViTModel, ViTConfig(**IMAGE, intermediate_size=96)),
    "ijepa": (IJepaModel, IJepaConfig(**IMAGE, intermediate_size=96)),
    "dinov2": (Dinov2Model, Dinov2Config(**IMAGE)),
    "dinov2-registers": (Dinov2WithRegistersModel, Dinov2WithRegistersConfig(**IMAGE, use_swiglu_ffn=True)),
}


def randomise(model, generator):
    """Numbers large enough that every part of the model matters."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            drawn = torch.randn(parameter.shape, generator=generator)
            if parameter.ndim == 1 and ("norm" in name or "lambda" in name) and "bias" not in name:
                parameter.copy_(1 + 0.2 * drawn)
            elif parameter.ndim <= 1:
                parameter.copy_(0.2 * drawn)
            else:
                fan_in = parameter[0].numel() if "token" not in name and "position" not in name else 1
                parameter.copy_(drawn * (1.5 / fan_in**0.5 if fan_in > 1 else 0.5))


@torch.no_grad()
def outputs(model, generator):
    if isinstance(model, VJEPA2ForVideoClassification):
        video = torch.randn([2, 4, 3, 32, 32], generator=generator)
        return {"video": video, "features": model.vjepa2(video, skip_predictor=True).last_hidden_state, "logits": model(video).logits}
    if isinstance(model, VJEPA2Model):
        video = torch.randn([2, 4, 3, 32, 32], generator=generator)
        context, target = torch.arange(0, 11).repeat(2, 1), torch.tensor([[12, 13, 20, 31], [11, 30, 14, 22]])
        whole = model(video, skip_predictor=True)
        # The predictor on its own: tokens of the encoder, whichever they are, and the mask token that transformers takes.
        predicted = model.predictor(whole.last_hidden_state, context_mask=[context], target_mask=[target]).last_hidden_state
        first = []
        hook = model.encoder.layer[0].register_forward_hook(lambda _, __, output: first.append(output[0] if isinstance(output, tuple) else output))
        model(video, skip_predictor=True)
        hook.remove()
        middle = model.encoder.layernorm(first[0])
        return {
            "video": video,
            "features": whole.last_hidden_state,
            "middle": middle,
            "context": context.int(),
            "target": target.int(),
            "predicted": predicted,
        }
    image = torch.randn([2, 3, 32, 32], generator=generator)
    # A grid of another size, for which positions are interpolated.
    wide = torch.randn([1, 3, 24, 48], generator=generator)
    keys = {"interpolate_pos_encoding": True} if isinstance(model, (ViTModel, IJepaModel)) else {}
    return {
        "image": image,
        "features": model(image).last_hidden_state,
        "wide": wide,
        "wide_features": model(wide, **keys).last_hidden_state,
    }


# Names of `transformers`, and those of the file that V-JEPA 2's authors publish.
OFFICIAL = [
    ("embeddings.patch_embeddings.proj", "patch_embed.proj"),
    ("embeddings.predictor_embeddings", "predictor_embed"),
    ("attention.proj", "attn.proj"),
    ("layernorm", "norm"),
    ("layer.", "blocks."),
]


def official(folder):
    """A small model as its authors' files have it, in 16-bit floats, with another copy of the encoder and an optimiser beside it."""
    heads = {"num_attention_heads": 1, "pred_num_attention_heads": 12, "pred_hidden_size": 72, "pred_num_hidden_layers": 1}
    model = VJEPA2Model(VJEPA2Config(**{**VIDEO, **PREDICTOR, **heads})).eval()
    generator = torch.Generator().manual_seed(100)
    randomise(model, generator)
    model.half().float()
    networks = {"encoder": {}, "predictor": {}}
    stacked = {}
    for name, value in model.state_dict().items():
        network, name = name.split(".", 1)
        for theirs, published in OFFICIAL:
            name = name.replace(theirs, published)
        if network == "predictor" and (name.startswith("blocks") or name.startswith("norm") or name.startswith("proj")):
            name = f"predictor_{name}"
        value = value.half()
        if name == "embeddings.mask_tokens":
            networks[network].update({f"mask_tokens.{number}": token for number, token in enumerate(value)})
        elif "attention." in name:
            block, part, kind = name.replace("attention.", "").rsplit(".", 2)
            stacked.setdefault((network, f"{block}.attn.qkv.{kind}"), {})[part] = value
        else:
            networks[network][name] = value
    for (network, name), parts in stacked.items():
        networks[network][name] = torch.cat([parts[part] for part in ("query", "key", "value")])
    wrapped = {network: {f"module.backbone.{name}": value for name, value in tensors.items()} for network, tensors in networks.items()}
    other = {name: value + 1 for name, value in wrapped["encoder"].items()}
    checkpoint = {
        "target_encoder": wrapped["encoder"],
        "encoder": {name: value[:1] for name, value in other.items()},
        "predictor": wrapped["predictor"],
        "opt": {"state": {0: {"step": torch.tensor(3.0)}}, "param_groups": [{"lr": 1e-3}]},
        "epoch": 7,
        "lr": 0.001,
    }
    torch.save(checkpoint, folder / "vjepa2-official.pt")
    found = {key: value.contiguous() for key, value in outputs(model, generator).items()}
    save_file(found, folder / "vjepa2-official.safetensors")


class Hostile:
    """A pickle of it asks the reader to run a command."""

    def __reduce__(self):
        return os.system, ("touch hostile-was-run",)


def main(folder):
    folder.mkdir(exist_ok=True)
    official(folder)
    torch.save({"encoder": {"weight": torch.zeros(2)}, "epoch": Hostile()}, folder / "hostile.pt")
    for number, (name, (kind, config)) in enumerate(CASES.items()):
        generator = torch.Generator().manual_seed(number)
        model = kind(config).eval()
        randomise(model, generator)
        model.save_pretrained(folder / name)
        found = {key: value.contiguous() for key, value in outputs(model, generator).items()}
        save_file(found, folder / name / "golden.safetensors")
        print(name, sum(p.numel() for p in model.parameters()), {key: list(value.shape) for key, value in found.items()})


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
