"""One case of `prevision bench` in PyTorch. compare.py starts it; by hand:

    echo "run 5" | python peer.py vit-train --threads 2

After warming up it prints what it holds as JSON. For each line `run N` on standard input it prints the seconds of N runs, and at the end
the most memory it ever held.
"""

import argparse
import contextlib

import torch
from torch import nn
from torch.nn import functional as F

from measure import serve


class Block(nn.Module):
    """Pre-norm transformer block."""

    def __init__(self, dim, heads):
        super().__init__()
        self.heads = heads
        self.norm1 = nn.LayerNorm(dim, eps=1e-6)
        self.qkv = nn.Linear(dim, 3 * dim)
        self.proj = nn.Linear(dim, dim)
        self.norm2 = nn.LayerNorm(dim, eps=1e-6)
        self.fc1 = nn.Linear(dim, 4 * dim)
        self.fc2 = nn.Linear(4 * dim, dim)

    def forward(self, x, rotate):
        batch, tokens, dim = x.shape
        qkv = self.qkv(self.norm1(x)).view(batch, tokens, 3, self.heads, dim // self.heads)
        query, key, value = qkv.permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(rotate(query), rotate(key), value)
        x = x + self.proj(mixed.transpose(1, 2).reshape(batch, tokens, dim))
        return x + self.fc2(F.gelu(self.fc1(self.norm2(x))))


class VideoVit(nn.Module):
    """Tubelets, positions, blocks, norm: `prevision_model::VideoVit`."""

    def __init__(self, dim, depth, heads, grid, rotary):
        super().__init__()
        self.patch_embed = nn.Conv3d(3, dim, (2, 16, 16), stride=(2, 16, 16))
        self.blocks = nn.ModuleList(Block(dim, heads) for _ in range(depth))
        self.norm = nn.LayerNorm(dim, eps=1e-6)
        self.rotary = rotary
        if rotary:
            cosine, sine = rotary_tables(grid, dim // heads)
            self.register_buffer("cosine", cosine)
            self.register_buffer("sine", sine)
        else:
            tokens = grid[0] * grid[1] * grid[2]
            self.register_buffer("positions", torch.rand(1, tokens, dim) * 2 - 1)

    def rotate(self, x):
        if not self.rotary:
            return x
        pairs = x.unflatten(-1, (-1, 2))
        partner = torch.stack((-pairs[..., 1], pairs[..., 0]), -1).flatten(-2)
        return x * self.cosine + partner * self.sine

    def forward(self, video):
        x = self.patch_embed(video).flatten(2).transpose(1, 2)
        if not self.rotary:
            x = x + self.positions
        for block in self.blocks:
            x = block(x, self.rotate)
        return self.norm(x)


def rotary_tables(grid, head_dim):
    """Cosines and sines of V-JEPA 2's rotary positions, `[tokens, head_dim]`."""
    size = 2 * (head_dim // 3 // 2)
    frequencies = 10000.0 ** (-torch.arange(size // 2) / (size / 2))
    axes = torch.meshgrid(*(torch.arange(n) for n in grid), indexing="ij")
    angles = [axis.flatten()[:, None] * frequencies.repeat(2) for axis in axes]
    angles = torch.cat([*angles, torch.zeros(angles[0].shape[0], head_dim - 3 * size)], 1)
    return angles.cos(), angles.sin()


class Cnn(nn.Module):
    """3x3 convolutions, each with ReLU."""

    def __init__(self):
        super().__init__()
        layers = [(3, 32, 2), (32, 32, 1), (32, 64, 2), (64, 64, 1), (64, 128, 2), (128, 128, 1)]
        self.layers = nn.ModuleList(nn.Conv2d(*channels, 3, stride=stride, padding=1) for *channels, stride in layers)

    def forward(self, x):
        for layer in self.layers:
            x = F.relu(layer(x), inplace=True)
        return x


class ResidualMlp(nn.Module):
    """A rollout of `prevision_model::ResidualMlp`."""

    def __init__(self, width, action):
        super().__init__()
        self.latent = nn.Linear(width, width)
        self.action = nn.Linear(action, width, bias=False)
        self.middle = nn.Linear(width, width)
        self.output = nn.Linear(width, width)

    def forward(self, state, actions):
        actions = self.action(actions)
        latents = []
        for step in range(actions.shape[1]):
            x = F.relu(self.latent(state) + actions[:, step])
            state = state + self.output(F.relu(self.middle(x)))
            latents.append(state)
        return torch.stack(latents, 1)


def prepare(options):
    """The case as a function without arguments."""
    torch.manual_seed(1)
    name, _, kind = options.case.rpartition("-")
    precision = torch.autocast("cpu", torch.bfloat16) if options.bf16 else contextlib.nullcontext()
    if options.case == "rollout":
        model, inputs = ResidualMlp(512, 2), (torch.randn(512, 512), torch.randn(512, 16, 2))
    elif name == "vit":
        model, inputs = VideoVit(192, 6, 3, (1, 14, 14), rotary=False), (torch.randn(32, 3, 2, 224, 224),)
        target = torch.randn(32, 196, 192)
    elif name == "vjepa":
        model, inputs = VideoVit(768, 12, 12, (8, 14, 14), rotary=True), (torch.randn(1, 3, 16, 224, 224),)
    else:
        model, inputs = Cnn(), (torch.randn(128, 3, 64, 64),)
        target = torch.randn(128, 128, 8, 8)
        if options.channels_last:
            model = model.to(memory_format=torch.channels_last)
            inputs = tuple(x.to(memory_format=torch.channels_last) for x in inputs)
    if kind != "train":
        model = model.eval()
        forward = torch.compile(model) if options.compile else model

        def infer():
            with torch.inference_mode(), precision:
                forward(*inputs)

        return infer
    decaying = [p for p in model.parameters() if p.ndim > 1]
    plain = [p for p in model.parameters() if p.ndim <= 1]
    groups = [{"params": decaying, "weight_decay": 1e-5}, {"params": plain, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=1e-3, fused=True)

    def mean_square(*inputs):
        return (model(*inputs).float() - target).square().mean()

    forward = torch.compile(mean_square) if options.compile else mean_square

    def train():
        with precision:
            loss = forward(*inputs)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    return train


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("case", choices=["vit-train", "vit-infer", "conv-train", "conv-infer", "rollout", "vjepa-encode"])
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--bf16", action="store_true")
    parser.add_argument("--channels-last", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    serve(lambda: prepare(options), 3, torch.bfloat16 if options.bf16 else torch.float32)


if __name__ == "__main__":
    main()
