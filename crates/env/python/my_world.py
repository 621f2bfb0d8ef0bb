"""A dot that is pushed to a goal. Check it: prevision env check "cmd:python3 my_world.py --size 64"."""
import sys

import numpy as np
from prevision_world import serve

SIZE = int(sys.argv[2]) if sys.argv[1:2] == ["--size"] else 64


def draw(x, y):
    glow = np.exp(-((np.arange(SIZE) - x) ** 2 + (np.arange(SIZE)[:, None] - y) ** 2) / 8)
    return (glow[..., None] * [255, 80, 40]).astype(np.uint8)


class Dot:
    hello = {"name": "dot", "unit": "px", "max_steps": 50, "spaces": {
        "cameras": {"pixels": {"height": SIZE, "width": SIZE}}, "state": 2, "action": {"kind": "ball", "dim": 2, "radius": 3}}}
    states = True  # `reset` takes a state

    def reset(self, seed, state, factors):
        self.place, self.target = np.random.default_rng(seed).uniform(4, SIZE - 4, (2, 2)).astype(np.float32)
        return self.step(0) if state is None else self.step(state - self.place)

    def step(self, action):
        self.place = np.clip(self.place + action, 0, SIZE - 1)
        distance = np.linalg.norm(self.place - self.target)
        return {"camera.pixels": draw(*self.place), "state": self.place, "distance": distance, "success": distance < 4}

    def goal(self):
        return {"camera.pixels": draw(*self.target), "state": self.target}


serve(lambda options: Dot())
