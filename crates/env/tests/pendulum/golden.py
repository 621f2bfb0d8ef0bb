"""Writes golden.json beside this script: trajectories of Gymnasium's Pendulum-v1 under given torques.

Needs gymnasium (1.4.0). A state is (cosine, sine, speed), the first one that of the start."""

import json
import pathlib

import gymnasium
import numpy as np

world = gymnasium.make("Pendulum-v1").unwrapped
rng = np.random.default_rng(4)
episodes = []
for index in range(4):
    world.reset(seed=index)
    world.state = rng.uniform([-np.pi, -2.0], [np.pi, 2.0])
    states, rewards = [[float(value) for value in world._get_obs()]], []
    # Start in the very numbers that are told, which are of 32 bits.
    cosine, sine, speed = states[0]
    world.state = np.array([np.arctan2(sine, cosine), speed])
    torques = np.round(np.cumsum(rng.normal(0.0, 0.8, 50)) + rng.normal(0.0, 0.5, 50), 3).tolist()
    for torque in torques:
        observation, reward, *_ = world.step(np.array([torque]))
        states.append([float(value) for value in observation])
        rewards.append(float(reward))
    episodes.append({"torques": torques, "states": np.round(states, 7).tolist(), "rewards": np.round(rewards, 7).tolist()})
text = json.dumps(episodes, separators=(",", ":"))
pathlib.Path(__file__).with_name("golden.json").write_text(text + "\n")
