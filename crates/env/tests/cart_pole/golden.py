"""Writes golden.json beside this script: transitions of Gymnasium's CartPole-v1, whose equations ours are.

Needs gymnasium (1.4.0). A transition is (state before, force in N, state after); a state is (x, x', angle, angle')."""

import json
import pathlib

import gymnasium
import numpy as np

world = gymnasium.make("CartPole-v1").unwrapped
rng = np.random.default_rng(3)
world.reset(seed=0)
transitions = []
for _ in range(40):
    before = rng.uniform([-1.5, -2.0, -3.1, -4.0], [1.5, 2.0, 3.1, 4.0])
    world.state, world.steps_beyond_terminated = before.copy(), 0
    action = int(rng.integers(2))
    world.step(action)
    force = world.force_mag if action == 1 else -world.force_mag
    transitions.append([before.tolist(), force, [float(value) for value in world.state]])
text = json.dumps({"tau": world.tau, "transitions": transitions}, separators=(",", ":"))
pathlib.Path(__file__).with_name("golden.json").write_text(text + "\n")
