"""One plan as eb_jepa makes it, in PyTorch. training-speed/compare.py starts it with --folder; by hand:

    echo "run 1" | python peer.py gru-plan --threads 2

The networks: the IMPALA encoder (widths 16, 32, 32; 512 numbers) and a GRU cell of 512 whose state is the latent and whose input is the
action, followed by the encoder's layer norm. The search: the cross-entropy method with 200 sequences of 90 actions and 20 iterations, or 100,
12 and 5; the cost is the squared distance to the goal's latent, summed over the steps. As upstream, the present frame is encoded anew for
every sequence in every iteration; with --encode-once it is encoded once for a plan. lewm-plan is told of in lewm.py.
"""

import argparse
import contextlib
import pathlib
import sys

import torch
from torch import nn
from torch.nn import functional as F

sys.path.append(str(pathlib.Path(__file__).parents[1] / "training-speed"))
from measure import serve

SEARCHES = {"gru-plan": (90, 200, 20, 20), "gru-plan-short": (12, 100, 10, 5)}  # horizon, samples, elites, iterations


class Residual(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x):
        return x + self.second(F.relu(self.first(F.relu(x))))


class Impala(nn.Module):
    def __init__(self, widths=(16, 32, 32), size=65, dim=512):
        super().__init__()
        layers, channels = [], 3
        for width in widths:
            layers += [nn.Conv2d(channels, width, 3, padding=1), nn.MaxPool2d(3, 2, 1), Residual(width), Residual(width)]
            channels, size = width, (size - 1) // 2 + 1
        self.stacks = nn.Sequential(*layers)
        self.projection = nn.Linear(channels * size * size, dim)
        self.norm = nn.LayerNorm(dim)

    def forward(self, frames):
        return self.norm(self.projection(F.relu(self.stacks(frames)).flatten(1)))


class Model(nn.Module):
    def __init__(self, dim=512, action=2):
        super().__init__()
        self.encoder = Impala(dim=dim)
        self.cell = nn.GRUCell(action, dim)

    def rollout(self, state, actions):
        states = []
        for action in actions.unbind(1):
            state = self.encoder.norm(self.cell(action, state))
            states.append(state)
        return torch.stack(states, 1)


class Planner(nn.Module):
    def __init__(self, search, encode_once):
        super().__init__()
        self.model = Model()
        self.horizon, self.samples, self.elites, self.iterations = search
        self.encode_once = encode_once

    def scores(self, frames, goal, actions):
        state = self.model.encoder(frames) if frames.ndim == 4 else frames
        latents = self.model.rollout(state, actions)
        return (latents - goal).square().mean(2).sum(1)

    def forward(self, scores, frame, goal):
        goal = self.model.encoder(goal)[:, None]
        mean, std = torch.zeros(self.horizon, 2), torch.full((self.horizon, 2), 1.5)
        frames = frame.expand(self.samples, -1, -1, -1)
        if self.encode_once:
            frames = self.model.encoder(frame).expand(self.samples, -1).contiguous()
        for _ in range(self.iterations):
            actions = mean + std * torch.randn(self.samples, self.horizon, 2)
            norm = actions.norm(dim=2, keepdim=True)
            actions = actions * (2.45 / norm).clamp(max=1)
            costs = scores(frames, goal, actions)
            best = actions[costs.topk(self.elites, largest=False).indices]
            mean, std = best.mean(0), best.std(0)
        return mean


def prepare(options):
    if options.case == "lewm-plan":
        import lewm

        return lewm.prepare(options)
    torch.manual_seed(1)
    planner = Planner(SEARCHES[options.case], options.encode_once).eval()
    scores = torch.compile(planner.scores) if options.compile else planner.scores
    frame, goal = torch.randn(1, 3, 65, 65), torch.randn(1, 3, 65, 65)
    precision = torch.autocast("cpu", torch.bfloat16) if options.bf16 else contextlib.nullcontext()

    def plan():
        with torch.inference_mode(), precision:
            planner(scores, frame, goal)

    return plan


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("case", choices=[*SEARCHES, "lewm-plan"])
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--bf16", action="store_true")
    parser.add_argument("--encode-once", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    serve(lambda: prepare(options), 1, torch.bfloat16 if options.bf16 else torch.float32)


if __name__ == "__main__":
    main()
