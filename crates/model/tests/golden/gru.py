"""Writes gru.json: a GRU cell in PyTorch's parameterisation followed by a layer norm, three steps, in float64 NumPy."""

import json
import pathlib

import numpy as np

rng = np.random.default_rng(7)
dim, action, batch, steps = 4, 2, 3, 3
w_ih = rng.uniform(-1, 1, (3 * dim, action))  # torch.nn.GRUCell.weight_ih, gates in the order r, z, n
w_hh = rng.uniform(-1, 1, (3 * dim, dim))
b_ih = rng.uniform(-1, 1, 3 * dim)
b_hh = rng.uniform(-1, 1, 3 * dim)
gamma = rng.uniform(0.5, 1.5, dim)
beta = rng.uniform(-0.5, 0.5, dim)
start = rng.normal(size=(batch, dim))
actions = rng.normal(size=(batch, steps, action))


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def layer_norm(x):
    mean = x.mean(-1, keepdims=True)
    variance = ((x - mean) ** 2).mean(-1, keepdims=True)
    return (x - mean) / np.sqrt(variance + 1e-5) * gamma + beta


h, out = start, []
for t in range(steps):
    i_r, i_z, i_n = np.split(actions[:, t] @ w_ih.T + b_ih, 3, axis=-1)
    h_r, h_z, h_n = np.split(h @ w_hh.T + b_hh, 3, axis=-1)
    r, z = sigmoid(i_r + h_r), sigmoid(i_z + h_z)
    n = np.tanh(i_n + r * h_n)
    h = layer_norm((1 - z) * n + z * h)
    out.append(h)

data = {
    "weight_input": w_ih.T, "weight_hidden": w_hh.T, "bias_input": b_ih, "bias_hidden": b_hh, "gamma": gamma, "beta": beta,
    "start": start, "actions": actions, "expected": np.stack(out, axis=1),
}
rounded = {key: np.round(value, 9).tolist() for key, value in data.items()}
pathlib.Path(__file__).with_name("gru.json").write_text(json.dumps(rounded) + "\n")
