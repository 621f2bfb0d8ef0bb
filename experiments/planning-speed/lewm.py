"""One plan of stable-worldmodel (0.1.1, from PyPI): its CEM and its LeWM, untrained, with the sizes of the released Push-T model.

18 million weights: a ViT-tiny (`transformers`) encodes frames of 224 pixels into 192 numbers, a predictor of six blocks sees the last three
latents and their actions of 10 numbers. Present and goal are encoded once for a plan, as upstream does.
"""

import contextlib
import sys

import gymnasium
import numpy as np
import torch
from stable_worldmodel.policy import PlanConfig
from stable_worldmodel.solver.cem import CEMSolver
from stable_worldmodel.wm.lewm import LeWM
from stable_worldmodel.wm.lewm.module import MLP, Embedder, Predictor
from torch import nn
from transformers import ViTConfig, ViTModel

WIDTH, ACTION = 192, 10


def model():
    vit = ViTConfig(
        hidden_size=WIDTH, num_hidden_layers=12, num_attention_heads=3, intermediate_size=4 * WIDTH, patch_size=14, image_size=224
    )
    projector = lambda: MLP(WIDTH, 2048, WIDTH, norm_fn=nn.BatchNorm1d)
    predictor = Predictor(
        num_frames=3, depth=6, heads=16, dim_head=64, mlp_dim=2048, input_dim=WIDTH, hidden_dim=WIDTH, dropout=0.1
    )
    encoder = ViTModel(vit, add_pooling_layer=False)
    return LeWM(encoder, predictor, Embedder(ACTION, emb_dim=WIDTH), projector(), projector()).eval()


def prepare(options):
    torch.manual_seed(1)
    lewm = model()
    if options.compile:
        lewm.predict = torch.compile(lewm.predict, dynamic=False)
    solver = CEMSolver(lewm, num_samples=300, n_steps=30, topk=30)
    space = gymnasium.spaces.Box(-np.inf, np.inf, (1, 2))
    solver.configure(action_space=space, n_envs=1, config=PlanConfig(horizon=5, receding_horizon=5, action_block=5))
    pixels, goal = torch.randn(2, 1, 1, 3, 224, 224)
    precision = torch.autocast("cpu", torch.bfloat16) if options.bf16 else contextlib.nullcontext()

    def plan():
        # The solver prints how long it took.
        with torch.inference_mode(), precision, contextlib.redirect_stdout(sys.stderr):
            solver({"pixels": pixels, "goal": goal, "action": torch.zeros(1, 1, ACTION)})

    return plan
