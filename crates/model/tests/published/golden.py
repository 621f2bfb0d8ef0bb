"""Small checkpoints with random weights in the form in which LeVJEPA and V-JEPA 2.1 are published, and what their encoders make of clips.

    pip install torch numpy safetensors
    python golden.py golden

Neither is in a package that can be installed. The encoder below is written from what the papers and the authors' code say of it (LeVJEPA: arXiv
2608.27395, `module.py`; V-JEPA 2.1: arXiv 2603.14482, `app/vjepa_2_1/models/vision_transformer.py`), one formula after the other, and shares
nothing with the implementation that is tested.
"""

import json
import pathlib
import sys

import torch
import torch.nn.functional as F
from safetensors.torch import save_file


def angles(positions, size, tiled):
    """Cosine and sine of `size` channels at each position: `tiled` as V-JEPA 2 has them, else the same for both of a pair."""
    frequencies = 1.0 / 10000 ** (torch.arange(size // 2) / (size // 2))
    turned = positions[:, None] * frequencies
    return turned.repeat(1, 2) if tiled else turned.repeat_interleave(2, 1)


def rotated(x, grid, tiled, side):
    """Turns `[batch, heads, tokens, width]` by time, row and column, a third of the channels each."""
    time, rows, columns = grid
    t, r, c = torch.meshgrid(torch.arange(time), torch.arange(rows), torch.arange(columns), indexing="ij")
    scale = lambda length: (side - 1) / (length - 1) if side else 1.0
    size = 2 * (x.shape[-1] // 3 // 2)
    parts, start = [], 0
    for positions in (t.flatten() * 1.0, r.flatten() * scale(rows), c.flatten() * scale(columns)):
        part, angle = x[..., start : start + size], angles(positions, size, tiled)
        partner = torch.stack([-part[..., 1::2], part[..., ::2]], -1).flatten(-2)
        parts.append(part * angle.cos() + partner * angle.sin())
        start += size
    return torch.cat([*parts, x[..., start:]], -1)


def attention(x, weights, name, heads, grid, tiled, side, mask, still):
    batch, tokens, dim = x.shape
    qkv = F.linear(x, weights[f"{name}.qkv.weight"], weights[f"{name}.qkv.bias"])
    q, k, v = qkv.reshape(batch, tokens, 3, heads, dim // heads).permute(2, 0, 3, 1, 4)
    turn = lambda x: torch.cat([x[:, :, :still], rotated(x[:, :, still:], grid, tiled, side)], 2)
    scores = turn(q) @ turn(k).transpose(-2, -1) / (dim // heads) ** 0.5
    if mask is not None:
        scores = scores.masked_fill(~mask, float("-inf"))
    mixed = (scores.softmax(-1) @ v).transpose(1, 2).reshape(batch, tokens, dim)
    return F.linear(mixed, weights[f"{name}.proj.weight"], weights[f"{name}.proj.bias"])


def norm(x, weights, name):
    return F.layer_norm(x, x.shape[-1:], weights[f"{name}.weight"], weights[f"{name}.bias"], 1e-6)


@torch.no_grad()
def encode(video, weights, *, depth, heads, tiled, side, causal, last):
    """`video`: `[batch, 3, time, height, width]`. All tokens, the class token first if there is one."""
    kernel = weights["patch_embed.proj.weight"]
    x = F.conv3d(video, kernel, weights["patch_embed.proj.bias"], stride=kernel.shape[2:])
    grid = x.shape[2:]
    x = x.flatten(2).transpose(1, 2)
    if "video_mod_embed" in weights:
        x = x + weights["video_mod_embed"]
    still = int("cls_token" in weights)
    if still:
        x = torch.cat([weights["cls_token"].expand(len(x), 1, -1), x], 1)
    mask = None
    if causal:
        frame = torch.arange(grid.numel()) // (grid[1] * grid[2])
        mask = torch.zeros(still + len(frame), still + len(frame), dtype=torch.bool)
        mask[still:, still:] = frame[:, None] >= frame[None, :]
        mask[:still] = True
    for layer in range(depth):
        name = f"blocks.{layer}"
        x = x + attention(norm(x, weights, f"{name}.norm1"), weights, f"{name}.attn", heads, grid, tiled, side, mask, still)
        hidden = F.linear(norm(x, weights, f"{name}.norm2"), weights[f"{name}.mlp.fc1.weight"], weights[f"{name}.mlp.fc1.bias"])
        x = x + F.linear(F.gelu(hidden), weights[f"{name}.mlp.fc2.weight"], weights[f"{name}.mlp.fc2.bias"])
    return norm(x, weights, last)


def random_encoder(generator, dim, depth, ratio, kernel, norms):
    """Numbers large enough that every part of the model matters."""
    draw = lambda *shape: torch.randn(shape, generator=generator)
    matrix = lambda rows, columns: draw(rows, columns) * (1.5 / columns**0.5)
    weights = {"patch_embed.proj.weight": draw(dim, 3, *kernel) * 0.1, "patch_embed.proj.bias": 0.2 * draw(dim)}
    for layer in range(depth):
        for part, (rows, columns) in {"attn.qkv": (3 * dim, dim), "attn.proj": (dim, dim), "mlp.fc1": (ratio * dim, dim), "mlp.fc2": (dim, ratio * dim)}.items():
            weights[f"blocks.{layer}.{part}.weight"], weights[f"blocks.{layer}.{part}.bias"] = matrix(rows, columns), 0.2 * draw(rows)
    for name in [f"blocks.{layer}.norm{which}" for layer in range(depth) for which in (1, 2)] + norms:
        weights[f"{name}.weight"], weights[f"{name}.bias"] = 1 + 0.2 * draw(dim), 0.2 * draw(dim)
    return weights


def levjepa(folder):
    generator = torch.Generator().manual_seed(5)
    weights = random_encoder(generator, 24, 2, 4, (1, 8, 8), ["norm"])
    weights["cls_token"] = 0.5 * torch.randn([1, 1, 24], generator=generator)
    folder.mkdir(parents=True, exist_ok=True)
    config = {
        "architectures": ["LeVJEPAModel"], "model_type": "levjepa", "embed_dim": 24, "depth": 2, "num_heads": 2, "mlp_ratio": 4.0, "patch_size": 8,
        "tubelet_size": 1, "img_size": 32, "num_frames": 4, "in_chans": 3, "use_rope": True, "attn_mode": "block_causal",
    }
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    save_file({f"encoder.{name}": value.contiguous() for name, value in weights.items()}, folder / "model.safetensors")
    video = torch.randn([2, 4, 3, 32, 24], generator=generator)
    features = encode(video.transpose(1, 2), weights, depth=2, heads=2, tiled=True, side=None, causal=True, last="norm")
    save_file({"video": video, "features": features.contiguous()}, folder / "golden.safetensors")


def vjepa2_1(folder):
    generator = torch.Generator().manual_seed(6)
    weights = random_encoder(generator, 64, 2, 1, (2, 8, 8), [f"norms_block.{level}" for level in range(4)])
    draw = lambda *shape: torch.randn(shape, generator=generator)
    weights["video_mod_embed"], weights["img_mod_embed"] = 0.5 * draw(1, 1, 64), 0.5 * draw(1, 1, 64)
    weights["patch_embed_img.proj.weight"], weights["patch_embed_img.proj.bias"] = draw(64, 3, 1, 8, 8), draw(64)
    weights = {name: value.half().float() for name, value in weights.items()}
    wrapped = lambda scale: {f"module.backbone.{name}": (scale * value).half() for name, value in weights.items()}
    predictor = {"module.backbone.predictor_embed.0.weight": draw(8, 8).half(), "module.backbone.predictor_proj_context.weight": draw(8, 8).half()}
    torch.save({"encoder": wrapped(2.0), "ema_encoder": wrapped(1.0), "predictor": predictor, "epoch": 3}, folder / "vjepa2.1.pt")
    video = draw(1, 4, 3, 32, 24)
    features = encode(video.transpose(1, 2), weights, depth=2, heads=1, tiled=False, side=16, causal=False, last="norms_block.3")
    save_file({"video": video, "features": features.contiguous()}, folder / "vjepa2.1.safetensors")


if __name__ == "__main__":
    golden = pathlib.Path(sys.argv[1])
    levjepa(golden / "levjepa")
    vjepa2_1(golden)
