"""A dot in a room, with a fault of choice: `faulty.py FAULT`. Without one, or with `sound`, nothing is wrong with it.

`options`: `pid`, a file to write the number of the process to; `once`, a file that is made when the fault has shown, and with which
it does not show again; `child`, a file to write the number of a process to that is started and does not end by itself."""
import os, pathlib, signal, struct, subprocess, sys, time

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "python"))
import prevision_world as protocol

FAULT = sys.argv[1] if len(sys.argv) > 1 else "sound"
SIZE, STEPS = 16, 12
TIMES = {"step": 0, "reset": 0}
SHARED = {"steps": 0}


def draw(place):
    across, down = np.arange(SIZE) - place[0], (np.arange(SIZE) - place[1])[:, None]
    return (np.exp(-(across**2 + down**2) / 4)[..., None] * [255, 80, 40]).astype(np.uint8)


class Dot:
    hello = {
        "name": "dot", "version": "0.1", "unit": "px", "max_steps": 2 * STEPS, "rewards": True, "info": {"seen": 1},
        "spaces": {"cameras": {"pixels": {"height": SIZE, "width": SIZE}}, "vectors": {"speed": 2}, "state": 2,
                   "action": {"kind": "box", "low": [-2, -2], "high": [2, 2]}},
        "factors": [{"name": "friction", "kind": "physics", "nominal": [0], "bounds": [[0], [0.9]], "training": [[0], [0.5]]}],
    }
    states = True

    def __init__(self, options):
        self.options, self.age, self.over, self.was = options, 0, False, np.zeros(2, np.float32)
        if "pid" in options:
            pathlib.Path(options["pid"]).write_text(str(os.getpid()))
        if "child" in options and not pathlib.Path(options["child"]).exists():
            pathlib.Path(options["child"]).write_text(str(subprocess.Popen(["sleep", "1000"]).pid))

    def reset(self, seed, state, factors):
        self.shows("reset")
        seed = {"seed-ignored": 0, "seed-truncated": seed % 2**32}.get(FAULT, seed)
        self.place, self.target = np.random.default_rng(seed).uniform(2, SIZE - 2, (2, 2)).astype(np.float32)
        if FAULT == "history":
            self.place += 0.5 * np.tanh(self.was)
        if FAULT == "success-at-start":
            self.target = self.place.copy()
        if FAULT == "no-success":
            self.target = self.target + 1000
        if state is not None and FAULT != "state-not-restored":
            self.place = state
        self.friction, self.age, self.speed = factors["friction"], 0, np.zeros(2, np.float32)
        return self.moment()

    def step(self, action):
        self.shows("step")
        SHARED["steps"] += 1
        if FAULT == "nondeterminism":
            action = action + np.random.default_rng().normal(0, 0.1, 2)
        if FAULT == "rows":
            action = action * (1 + 0.1 * (SHARED["steps"] % 3))
        if FAULT == "idle-actions":
            action = np.float32([0.1, 0.2])
        self.speed = ((1 - self.friction) * action).astype(np.float32)
        self.place = np.clip(self.place + self.speed, 0, SIZE - 1)
        self.age, self.was = self.age + 1, self.place
        return self.moment()

    def goal(self):
        return {"camera.pixels": draw(self.start if FAULT == "goal-is-start" else self.target), "vector.speed": np.zeros(2),
                "state": self.target, "route": np.linalg.norm(self.target - self.start)}

    def moment(self):
        if self.age == 0:
            self.start = self.place
        distance = np.linalg.norm(self.place - self.target)
        self.over = self.age > 0 and (self.over or distance < 1.5 or self.age >= STEPS)
        moment = {
            "camera.pixels": draw(self.start if FAULT == "frozen-images" else self.place), "vector.speed": self.speed,
            "state": self.start if FAULT == "frozen-state" else self.place, "info.seen": [self.age], "position": self.place,
            "reward": 0 if FAULT == "no-reward" else -distance, "distance": distance, "success": distance < 1.5,
            "terminated": self.age == 6 if FAULT == "goes-on" else self.over,
        }
        if FAULT == "blank-images":
            moment["camera.pixels"] = np.zeros((SIZE, SIZE, 3))
        if self.age < 3:
            return moment
        if FAULT == "not-finite":
            moment["state"] = np.float32([np.nan, 1])
        if FAULT == "infinite-reward":
            moment["reward"] = np.inf
        if FAULT == "spaces":
            moment["camera.pixels"] = np.zeros((SIZE, SIZE + 1, 3))
        if FAULT == "missing":
            del moment["vector.speed"]
        if FAULT == "more":
            moment["vector.force"] = np.zeros(3)
        return moment

    def shows(self, request):
        """Faults of the process itself, at the third step or the second reset: `die-step`, `late-reset`, …"""
        TIMES[request] += 1
        kind, _, when = FAULT.partition("-")
        once = self.options.get("once")
        if when != request or TIMES[request] != {"step": 3, "reset": 2}[request] or once and os.path.exists(once):
            return
        if once:
            pathlib.Path(once).touch()
        print("about to", kind, file=sys.stderr, flush=True)
        {
            "die": lambda: os.kill(os.getpid(), signal.SIGKILL),
            "exit": lambda: os._exit(3),
            "late": lambda: time.sleep(4),
            "never": lambda: time.sleep(1000),
            "stopped": lambda: os.kill(os.getpid(), signal.SIGSTOP),
            "alive": lambda: [(time.sleep(0.2), protocol.write({"alive": True})) for _ in range(8)],
            "flood": lambda: [print("x" * 99, number, file=sys.stderr) for number in range(30000)],
            "closed": lambda: (protocol.SINK.close(), time.sleep(1000)),
            "huge": lambda: self.raw(b"\xff\xff\xff\xff"),
            "garbage": lambda: self.raw(b"loading textures...\n"),
            "json": lambda: self.raw(struct.pack("<I", 5) + b"{'a':"),
            "cut": lambda: (self.raw(struct.pack("<I", 500) + b'{"id":'), os._exit(0)),
            "dtype": lambda: self.listed('[{"name":"state","dtype":"float64","shape":[1,2]}]'),
            "memory": lambda: self.listed('[{"name":"state","dtype":"uint8","shape":[9000000000]}]'),
            "id": lambda: protocol.write({"id": 12345}),
            "silent": lambda: protocol.write({}),
            "refuse": lambda: (_ for _ in ()).throw(ValueError("the door is locked")),
        }[kind]()

    def raw(self, data):
        protocol.SINK.write(data)
        protocol.SINK.flush()

    def listed(self, arrays):
        text = ('{"id":3,"arrays":' + arrays + "}").encode()
        self.raw(struct.pack("<I", len(text)) + text)


class Version(Dot):
    hello = Dot.hello | {"protocol": 2}


class Name(Dot):
    hello = {key: value for key, value in Dot.hello.items() if key != "name"}


protocol.serve({"version": Version, "name": Name}.get(FAULT, Dot))
