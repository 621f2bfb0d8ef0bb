"""Writes upright.npy, what Pendulum looks like at its goal, and tee.npy, what Push-T does: `python goal.py FOLDER` with gymnasium and gym-pusht."""

import pathlib
import sys

import gymnasium
import gym_pusht  # noqa: F401
import numpy as np

folder = pathlib.Path(sys.argv[1])
pendulum = gymnasium.make("Pendulum-v1", render_mode="rgb_array")
pendulum.reset(seed=0)
pendulum.unwrapped.state = np.array([0.0, 0.0])
pendulum.unwrapped.last_u = None
np.save(folder / "upright.npy", pendulum.render())
pusht = gymnasium.make("gym_pusht/PushT-v0", obs_type="pixels", render_mode="rgb_array", observation_width=96, observation_height=96)
pusht.reset(seed=0)
world = pusht.unwrapped
world.block.angle, world.block.position = world.goal_pose[2], tuple(world.goal_pose[:2])
world.agent.position = (100, 400)
world.space.reindex_shapes_for_body(world.block)
world.space.reindex_shapes_for_body(world.agent)
np.save(folder / "tee.npy", world.get_obs())
