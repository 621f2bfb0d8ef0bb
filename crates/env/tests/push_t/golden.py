"""Writes the trajectories and pictures that `tests/it/push_t.rs` compares with, from the published packages.

    pip install gym-pusht==0.1.8 pymunk==6.11.1
    python golden.py gym-pusht gym_pusht.json

    pip install "pymunk==7.3.1" pygame opencv-python-headless gymnasium numpy shapely loguru
    pip download --no-deps stable-worldmodel==0.1.1 && unzip stable_worldmodel-*.whl -d wheel
    python golden.py stable-worldmodel stable_worldmodel.json wheel

The two packages need different versions of pymunk, hence two environments. Of stable-worldmodel only the file of the world is
loaded, so that PyTorch need not be installed.

An episode pushes the block about: every few steps a target is drawn on the other side of the block from the agent, and the agent goes
there, through the block. Of each moment the file has agent x and y, block x and y, the angle of the block (not wrapped) and the agent's
velocity.
"""

import json
import os
import sys
import types

os.environ.setdefault("SDL_VIDEODRIVER", "dummy")

import cv2
import numpy as np

STEPS = 25
# Pixels each way of the pictures: the package's own drawing of 512 x 512, averaged over areas.
PICTURE = 32


def moment(env):
    numbers = [*env.agent.position, *env.block.position, env.block.angle, *env.agent.velocity]
    return [round(float(number), 4) for number in numbers]


def picture(screen):
    import pygame

    pixels = np.transpose(np.array(pygame.surfarray.pixels3d(screen)), (1, 0, 2))
    small = cv2.resize(pixels.astype(np.float32), (PICTURE, PICTURE), interpolation=cv2.INTER_AREA)
    return [int(value) for value in np.rint(small).astype(int).ravel()]


def start(rng, reach):
    """Agent, block and angle that do not overlap; the block's parts are at most `reach` pixels from its position."""
    while True:
        block = rng.uniform(150, 362, 2)
        agent = rng.uniform(60, 452, 2)
        if np.linalg.norm(agent - block) > reach + 20:
            return [*agent.round(2), *block.round(2), round(rng.uniform(-np.pi, np.pi), 3)]


class Pusher:
    """Targets through the block, each held for a few steps."""

    def __init__(self, rng, wild):
        self.rng, self.left, self.wild = rng, 0, wild

    def target(self, env):
        if self.left == 0:
            agent, centre = np.array(env.agent.position), np.array(env.block.local_to_world(env.block.center_of_gravity))
            along = centre - agent
            length = max(np.linalg.norm(along), 1.0)
            side = np.array([-along[1], along[0]]) / length
            beyond = self.rng.uniform(20, self.wild)
            self.aim = centre + along / length * beyond + side * self.rng.uniform(-50, 50)
            self.left = int(self.rng.integers(3, 8))
        self.left -= 1
        return self.aim


def episode(env, first, pusher, action_of):
    states, actions, contacts = [moment(env)], [], 0
    for _ in range(STEPS):
        action = np.round(action_of(env, pusher.target(env)), 4)
        env.step(action)
        contacts += env.n_contact_points > 0
        actions.append([float(value) for value in action])
        states.append(moment(env))
    return {**first, "contacts": int(contacts), "actions": actions, "states": states}


def gym_pusht():
    from gym_pusht.envs.pusht import PushTEnv

    env = PushTEnv(obs_type="state")
    episodes, pictures, coverages = [], [], []
    for number in range(10):
        rng = np.random.default_rng(number)
        env.reset(seed=0)
        state = start(rng, 130)
        env.block.angle = state[4]
        env.block.position = state[2:4]
        env.agent.position = state[:2]
        env.space.step(env.dt)
        absolute = lambda env, target: np.clip(target, 0, 512)
        episodes.append(episode(env, {"shape": 2, "scale": 30}, Pusher(rng, 60 if number < 6 else 250), absolute))
        if number in (0, 3, 7):
            pictures.append({"state": moment(env), "pixels": picture(env._draw())})
    for shift in [(0, 0, 0), (4, 0, 0), (0, -9, 0.1), (20, 15, -0.4), (-60, 40, 2.0), (300, 0, 0)]:
        goal = env.goal_pose
        env.block.angle = goal[2] + shift[2]
        env.block.position = (goal[0] + shift[0], goal[1] + shift[1])
        coverages.append({"state": moment(env), "coverage": float(env._get_coverage())})
    return {"control": "absolute", "episodes": episodes, "pictures": pictures, "coverages": coverages}


def stable_worldmodel(folder):
    package = types.ModuleType("stable_worldmodel")
    package.__path__ = [os.path.join(folder, "stable_worldmodel")]
    sys.modules["stable_worldmodel"] = package
    for name in ["envs", "envs.pusht"]:
        part = types.ModuleType(f"stable_worldmodel.{name}")
        part.__path__ = [os.path.join(folder, "stable_worldmodel", *name.split("."))]
        sys.modules[part.__name__] = part
    from stable_worldmodel.envs.pusht.env import PushT

    env = PushT()
    episodes, pictures = [], []
    # L, T, square, I, small tee and plus; of Z, this release has another origin than its successors.
    for number, shape in enumerate([2, 1, 4, 5, 6, 7, 2, 1, 4, 5, 6, 7]):
        rng = np.random.default_rng(100 + number)
        env.variation_space["block"]["shape"].set_init_value(shape)
        state = np.array([*start(rng, 130), 0.0, 0.0])
        # A T is always of scale 30 there.
        first = {"shape": shape, "scale": 30 if shape == 2 else 40}
        env.reset(seed=0, options={"state": state, "goal_state": state, "variation": []})
        relative = lambda env, target: np.clip((target - np.array(env.agent.position)) / 100, -1, 1)
        episodes.append(episode(env, first, Pusher(rng, 60 if number < 8 else 250), relative))
        if number in (1, 4, 5):
            env.render()
            pictures.append({**first, "state": moment(env), "pixels": picture(env.screen)})
    return {"control": "relative", "episodes": episodes, "pictures": pictures}


if __name__ == "__main__":
    made = gym_pusht() if sys.argv[1] == "gym-pusht" else stable_worldmodel(sys.argv[3])
    with open(sys.argv[2], "w") as file:
        json.dump(made, file, separators=(",", ":"))
    for each in made["episodes"]:
        first, last = each["states"][0], each["states"][-1]
        moved = np.hypot(last[2] - first[2], last[3] - first[3])
        print(each["shape"], f"touched in {each['contacts']} of {STEPS} steps, moved {moved:.0f} px, turned {last[4] - first[4]:.2f}")
