"""Gymnasium's environments as worlds of prevision. The options are the keys of `[env.gym]`."""
import math
import os

import gymnasium
import numpy as np
from gymnasium import spaces
from prevision_world import serve

SMALLEST = 16  # pixels: what is smaller is a board of numbers, not a picture


def make(options):
    """An environment that can be drawn, if it can be."""
    module, _, name = options["target"].rpartition(":")
    if module:
        __import__(module)
    keys = dict(options["args"])
    if options["max_steps"] is not None:
        keys["max_episode_steps"] = options["max_steps"]
    try:
        return gymnasium.make(name, render_mode="rgb_array", **keys)
    except TypeError:
        return gymnasium.make(name, **keys)


def parts(space, value, name=""):
    """The numbers and pictures of an observation: (name, space, value) of every part that is not text."""
    if isinstance(space, spaces.Dict):
        return [part for key in space for part in parts(space[key], value[key], f"{name}.{key}".strip("."))]
    if isinstance(space, spaces.Tuple):
        return [part for key, inner in enumerate(space) for part in parts(inner, value[key], f"{name}.{key}".strip("."))]
    known = (spaces.Box, spaces.Discrete, spaces.MultiDiscrete, spaces.MultiBinary)
    return [(name, space, np.asarray(value))] if isinstance(space, known) else []


def is_picture(space):
    """Whether it is one of bytes, grey or RGB, upright."""
    shape = space.shape
    return space.dtype == np.uint8 and len(shape) in (2, 3) and shape[2:] in ((), (1,), (3,)) and min(shape[:2]) >= SMALLEST


def resize(picture, size):
    """Pixels over areas: each new one is the mean of what it covers."""
    if size is None or list(picture.shape[:2]) == size:
        return picture
    def cover(old, new):
        edges = np.arange(new + 1) * old / new
        low, high = edges[:-1, None], edges[1:, None]
        shares = np.clip(np.minimum(high, np.arange(1, old + 1)) - np.maximum(low, np.arange(old)), 0, 1)
        return (shares / shares.sum(1, keepdims=True)).astype(np.float32)
    rows = np.einsum("ih,hwc->iwc", cover(picture.shape[0], size[0]), picture.astype(np.float32), optimize=True)
    return np.rint(np.einsum("jw,iwc->ijc", cover(picture.shape[1], size[1]), rows, optimize=True)).astype(np.uint8)


def coloured(picture):
    """RGB of a picture with one channel, or with an opacity."""
    picture = picture[..., None] if picture.ndim == 2 else picture
    return np.repeat(picture, 3, axis=2) if picture.shape[2] == 1 else picture[..., :3]


def read_picture(path):
    """A picture from a file, by whichever library is there."""
    if path.endswith(".npy"):
        return np.load(path)
    try:
        from PIL import Image
        return np.asarray(Image.open(path).convert("RGB"))
    except ImportError:
        pass
    try:
        import pygame
    except ImportError:
        raise ValueError(f"goal {path}: install pillow to read pictures, or give a .npy file of bytes [height, width, 3]") from None
    return np.swapaxes(pygame.surfarray.array3d(pygame.image.load(path)), 0, 1)


def read_row(folder, row):
    """State and picture of a row of recorded episodes."""
    lengths, state = (np.load(os.path.join(folder, name))["arr_0"] for name in ("ep_len.npz", "state.npz"))
    ends = np.cumsum(lengths)
    if row >= ends[-1]:
        raise ValueError(f"goal: {folder} has {ends[-1]} rows, there is no row {row}")
    episode = int(np.searchsorted(ends, row, side="right"))
    video = os.path.join(folder, "pixels", f"ep_{episode}.mp4")
    try:
        import cv2
    except ImportError:
        raise ValueError(f"goal: install opencv-python to read {video}") from None
    frames = cv2.VideoCapture(video)
    for _ in range(int(row - ends[episode] + lengths[episode]) + 1):
        read, frame = frames.read()
    if not read:
        raise ValueError(f"goal: {video} cannot be read")
    return state[row].astype(np.float32), np.ascontiguousarray(frame[..., ::-1])


class Actions:
    """The action space, and how an action of ours becomes one of it."""

    def __init__(self, space, rescale):
        self.space, self.counts, self.rescale = space, None, rescale
        if isinstance(space, spaces.Discrete):
            self.counts, self.start = [int(space.n)], [int(space.start)]
        elif isinstance(space, (spaces.MultiDiscrete, spaces.MultiBinary)):
            nvec = space.nvec if isinstance(space, spaces.MultiDiscrete) else np.full(space.shape, 2)
            start = getattr(space, "start", np.zeros_like(nvec))
            self.counts, self.start = nvec.ravel().tolist(), np.asarray(start).ravel().tolist()
        elif not isinstance(space, spaces.Box):
            raise ValueError(f"actions are {space}, but must be a Box, Discrete, MultiDiscrete or MultiBinary")
        if rescale and not (isinstance(space, spaces.Box) and np.isfinite(space.low).all() and np.isfinite(space.high).all()):
            raise ValueError(f"rescale = true: actions are {space}, but must be a Box with bounds")

    def told(self):
        if self.counts is not None:
            return {"kind": "discrete", "count": math.prod(self.counts)}
        if self.rescale:
            return {"kind": "box", "low": [-1.0] * self.space.low.size, "high": [1.0] * self.space.low.size}
        low, high = self.space.low.ravel().astype(float), self.space.high.ravel().astype(float)
        if not (np.isfinite(low).all() and np.isfinite(high).all()):
            return {"kind": "unbounded", "dim": low.size}
        return {"kind": "box", "low": low.tolist(), "high": high.tolist()}

    def of(self, action):
        if self.rescale:
            low, high = self.space.low.astype(float), self.space.high.astype(float)
            share = (np.clip(action.reshape(low.shape).astype(float), -1, 1) + 1) / 2
            return (low + share * (high - low)).astype(self.space.dtype)
        if self.counts is None:
            return action.reshape(self.space.shape).astype(self.space.dtype)
        # Choices of several parts are numbered as places of an array are.
        chosen = np.add(np.unravel_index(int(action), self.counts), self.start)
        return int(chosen[0]) if isinstance(self.space, spaces.Discrete) else chosen.reshape(self.space.shape).astype(self.space.dtype)


class World:
    """One environment."""

    def __init__(self, options):
        self.options, self.env, self.other = options, make(options), None
        self.actions = Actions(self.env.action_space, options["rescale"])
        self.kind, _, self.value = options["goal"].partition(":")
        self.rule, self.key, self.bound = options["success"], None, None
        if self.rule.startswith("info:"):
            self.rule, self.key = "info", self.rule[5:]
        for rule, sign in (("return", ">="), ("state", "<=")):
            if self.rule.startswith(rule + sign):
                self.rule, self.bound = rule, float(self.rule[len(rule + sign):])
        # The first episode only tells the sizes.
        first = self.look(self.env, self.env.reset(seed=0)[0])
        self.width = first["state"].size if "state" in first else None
        cameras = {name[7:]: value for name, value in first.items() if name.startswith("camera.")}
        self.hello = {
            "name": options["target"].rpartition(":")[2], "version": gymnasium.__version__, "rewards": True,
            "max_steps": self.env.spec.max_episode_steps or 200,
            "spaces": {
                "cameras": {name: {"height": value.shape[0], "width": value.shape[1]} for name, value in cameras.items()},
                "vectors": {"observation": self.width} if self.width else {}, "state": self.width, "action": self.actions.told(),
            },
        }
        if self.kind != "none":
            self.goal = lambda: self.target

    def look(self, env, observation):
        """What is seen: pictures as cameras, numbers as the vector `observation` and as the state."""
        found = parts(env.observation_space, observation)
        pictures = [(name or "pixels", value) for name, space, value in found if is_picture(space)]
        wanted = self.options["observation"] or ("as-is" if pictures else "rendered")
        if wanted == "rendered":
            pictures = [("pixels", env.render())]
            if pictures[0][1] is None:
                raise ValueError("the environment is not drawn: observation = \"as-is\" shows its numbers alone")
        numbers = [value.ravel().astype(np.float32) for _, space, value in found if not is_picture(space)]
        size = self.options["size"]
        told = {f"camera.{name}": resize(coloured(value), size) for name, value in pictures}
        if numbers:
            told["vector.observation"] = told["state"] = np.concatenate(numbers)
        return told

    def reset(self, seed, state, factors):
        if self.options["fresh"]:
            self.env.close()
            self.env = make(self.options)
        observation, info = self.env.reset(seed=seed)
        seen, self.returned = self.look(self.env, observation), 0.0
        self.target = {"none": lambda: {}, "image": self.goal_image, "info": lambda: self.goal_info(info),
                       "recording": self.goal_row, "sampler": lambda: self.goal_sampled(seed)}[self.kind]()
        return self.moment(seen, 0.0, False, False, info)

    def step(self, action):
        observation, reward, terminated, truncated, info = self.env.step(self.actions.of(action))
        self.returned += float(reward)
        return self.moment(self.look(self.env, observation), float(reward), bool(terminated), bool(truncated), info)

    def render(self, scale, marks):
        frame = self.env.render()
        if frame is None:
            raise ValueError("the environment is not drawn")
        return {"frame": frame[: frame.shape[0] // 2 * 2, : frame.shape[1] // 2 * 2, :3]}

    def moment(self, seen, reward, terminated, truncated, info):
        distance = None
        if "state" in seen and "state" in self.target:
            distance = np.linalg.norm(seen["state"] - self.target["state"])
        if self.rule == "state" and distance is None:
            raise ValueError("success by the state needs a goal with a state")
        if self.rule == "info" and self.key not in info and reward != 0.0:
            raise ValueError(f"success: info has no {self.key}; it has {', '.join(map(str, info))}")
        success = {"none": lambda: False, "terminated": lambda: terminated, "info": lambda: bool(info.get(self.key, False)),
                   "return": lambda: self.returned >= self.bound, "state": lambda: distance <= self.bound}[self.rule]()
        return seen | {"reward": reward, "terminated": terminated, "truncated": truncated, "success": success} | (
            {} if distance is None else {"distance": distance})

    def streams(self, picture):
        """A goal that is a picture; the first camera shows it."""
        cameras = self.hello["spaces"]["cameras"]
        if len(cameras) != 1:
            raise ValueError(f"a picture as a goal needs one camera, there are {len(cameras)}")
        (name, camera), = cameras.items()
        told = {f"camera.{name}": resize(coloured(picture), [camera["height"], camera["width"]])}
        # The numbers that would be seen there are not known.
        return told | ({"vector.observation": np.zeros(self.width, np.float32)} if self.width else {})

    def goal_image(self):
        return self.streams(read_picture(self.value))

    def goal_info(self, info):
        if self.value not in info:
            raise ValueError(f"goal: info has no {self.value}; it has {', '.join(map(str, info))}")
        value = np.asarray(info[self.value])
        if value.dtype == np.uint8 and value.ndim in (2, 3):
            return self.streams(value)
        if value.size != self.width:
            raise ValueError(f"goal: info {self.value} has {value.size} numbers, the state has {self.width}")
        return {"state": value.ravel().astype(np.float32)}

    def goal_row(self):
        folder, _, row = self.value.rpartition(":")
        state, picture = read_row(folder, int(row))
        return self.streams(picture) | {"state": state, "vector.observation": state}

    def goal_sampled(self, seed):
        """Where random actions lead from another start."""
        self.other = self.other or make(self.options)
        seeds = [int(number) for number in np.random.SeedSequence([seed, 1]).generate_state(2, np.uint64)]
        observation, _ = self.other.reset(seed=seeds[0])
        self.other.action_space.seed(seeds[1] % 2**32)
        reached = self.look(self.other, observation)
        for _ in range(self.options["goal_steps"]):
            observation, _, terminated, truncated, _ = self.other.step(self.other.action_space.sample())
            if terminated or truncated:
                break
            reached = self.look(self.other, observation)
        return reached


serve(World)
