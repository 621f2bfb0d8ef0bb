"""Writes golden.json beside this script: episodes and frames of stable-worldmodel's Two Rooms.

Needs stable-worldmodel 0.1.1, torch (CPU), gymnasium and loguru. Only the module of this world is loaded: the package itself
imports much that the world does not need.
"""

import importlib.util
import json
import pathlib
import sys
import types

import numpy as np

HERE = pathlib.Path(__file__).parent
STEPS = 50


def load_world():
    found = importlib.util.find_spec("stable_worldmodel")
    package = types.ModuleType("stable_worldmodel")
    package.__path__ = list(found.submodule_search_locations)
    sys.modules["stable_worldmodel"] = package
    package.utils = importlib.import_module("stable_worldmodel.utils")
    package.spaces = importlib.import_module("stable_worldmodel.spaces")
    for name in ["envs", "envs.two_room"]:
        part = types.ModuleType(f"stable_worldmodel.{name}")
        part.__path__ = [str(pathlib.Path(package.__path__[0], *name.split(".")))]
        sys.modules[f"stable_worldmodel.{name}"] = part
    return importlib.import_module("stable_worldmodel.envs.two_room.env").TwoRoomEnv


def episode(world, values, state, target, actions):
    options = {"variation": [], "variation_values": values, "state": state, "target_state": target}
    world.reset(seed=0, options=options)
    states, ends = [], []
    for action in actions:
        _, _, terminated, _, info = world.step(np.asarray(action, dtype=np.float32))
        states.append([float(value) for value in info["state"]])
        ends.append(bool(terminated))
    return states, ends


def frame(world, values, state, target):
    world.reset(seed=0, options={"variation": [], "variation_values": values, "state": state, "target_state": target})
    pixels = world.render()
    rows = [12, 49, int(round(state[1])), 150]
    return {"rows": rows, "pixels": [pixels[row].reshape(-1).tolist() for row in rows],
            "means": pixels.astype(np.float64).reshape(28, 8, 28, 8, 3).mean(axis=(1, 3)).round(3).reshape(-1).tolist()}


def main():
    world = load_world()()
    rng = np.random.default_rng(5)
    rounded = lambda values: np.round(values, 4).tolist()
    array = lambda *values: np.array(values, dtype=np.float32)
    doors = {"door.number": 2, "door.position": np.array([60, 150, 20]), "door.size": np.array([12, 16, 9])}
    fast = {"agent.speed": array(10.5)}
    lying = {"agent.position": array(60.0, 40.0), "wall.axis": 0, "wall.thickness": 21, "agent.radius": array(8.5), "agent.speed": array(7.25)}
    toward_door = rounded(np.clip(rng.normal([0.6, -0.4], 0.9, (STEPS, 2)), -1.5, 1.5))
    zigzag = [[0.9, 0.5 if step % 4 < 2 else -0.7] for step in range(STEPS)]
    cases = [
        ("free and along the wall", {}, [60.0, 112.0], [180.0, 180.0], rounded(rng.uniform(-1.3, 1.3, (STEPS, 2)))),
        ("cuts the corner of the door", {}, [97.0, 69.5], [180.0, 180.0], [[0.8, -1.0]] * 6 + zigzag[:STEPS - 6]),
        ("jumps back out of the doorway", {}, [104.0, 62.0], [180.0, 180.0], [[0.3, 0.9]] * STEPS),
        ("through the door and about", {}, [80.0, 60.0], [150.0, 60.0], toward_door),
        ("fast, with two doors", {**doors, **fast}, [140.0, 140.0], [40.0, 40.0],
         rounded(rng.uniform(-1.0, 0.7, (STEPS, 2)))),
        ("a lying wall", lying, [60.0, 80.0], [60.0, 180.0], rounded(rng.normal([-0.1, 0.5], 0.8, (STEPS, 2)))),
        ("out of the border's margin", {}, [14.0, 209.0], [16.0, 30.0], [[0.1, -0.9]] * STEPS),
    ]
    episodes = []
    for name, values, state, target, actions in cases:
        states, ends = episode(world, values, state, target, actions)
        plain = {key: np.asarray(value).reshape(-1).tolist() for key, value in values.items()}
        episodes.append({"name": name, "values": plain, "state": state, "target": target, "actions": actions,
                         "states": np.round(states, 5).tolist(), "terminated": ends})
    colours = {"background.color": [200, 220, 90], "wall.color": [20, 60, 120], "door.color": [250, 130, 10],
               "agent.color": [40, 10, 200], "target.color": [10, 200, 30], "target.radius": [11.0],
               "rendering.render_target": 1}
    typed = {**colours, "target.radius": array(11.0)}
    typed = {key: np.array(value, dtype=np.uint8) if key.endswith("color") else value for key, value in typed.items()}
    frames = []
    for values, given, state, target in [
        ({}, {}, [60.0, 112.0], [164.0, 112.0]),
        ({}, {}, [101.4, 50.7], [164.0, 112.0]),
        ({**doors, **typed}, {**doors, **colours}, [33.3, 180.2], [120.6, 49.1]),
        ({**lying, **typed}, {**lying, **colours}, [22.75, 44.5], [180.0, 160.0]),
    ]:
        plain = {key: np.asarray(value).reshape(-1).tolist() for key, value in given.items()}
        frames.append({"values": plain, "state": state, "target": target, **frame(world, values, state, target)})
    text = json.dumps({"episodes": episodes, "frames": frames}, separators=(",", ":"))
    (HERE / "golden.json").write_text(text + "\n")
    print(len(text), "bytes")


main()
