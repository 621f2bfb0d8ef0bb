"""Records, trains, explores and plans: everything that README.md tells. Needs a built prevision and nothing but Python's own library.

    python experiments/mazes/run.py target/release/prevision --seeds 1 2 3 --out mazes

Each step whose result is there already is skipped, so that what was interrupted goes on. `figure.py` draws what was measured.
"""

import argparse
import json
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.append(str(HERE.parent))
from running import keys, runner  # noqa: E402


# What is recorded: walks through doors, and actions that know nothing of walls. A planner tries both.
POLICIES = ["walk", "smooth"]
# How to plan, by name: keys of [plan] beside those of experiment.toml.
PLANNERS = {
    "flat": ["plan.hierarchy.levels=1"],
    "memory": ["plan.hierarchy.levels=1", "plan.memory.places=memory.safetensors", "plan.memory.learn=false"],
    "hierarchy": ["plan.hierarchy.levels=2", "plan.hierarchy.patience=2"],
    "both": ["plan.hierarchy.levels=2", "plan.memory.places=memory.safetensors", "plan.memory.learn=false"],
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("prevision", type=pathlib.Path)
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("mazes"))
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--tasks", type=int, default=200, help="so many of the tasks, from the first")
    parser.add_argument("--planners", nargs="+", default=list(PLANNERS), choices=list(PLANNERS))
    arguments = parser.parse_args()
    out, run = arguments.out, runner(arguments.prevision)

    out.mkdir(parents=True, exist_ok=True)
    tasks = HERE / "tasks.json"
    mazes = json.loads(tasks.read_text())["env"]["mazes"]

    def record(folder, policy, episodes, seed, *pairs):
        if not folder.exists():
            where = ["--policy", policy, "--episodes", episodes, "--steps", 90, "--seed", seed, *keys(['collision="slide"', *pairs])]
            run("data", "generate", "maze", *where, "--out", folder)

    recorded, explored = ([out / f"{name}-{policy}" for policy in POLICIES] for name in ("recorded", "explored"))
    for number, policy in enumerate(POLICIES):
        record(recorded[number], policy, 1500, 1 + number)
        record(explored[number], policy, 30 * mazes, 9 + number, f"mazes={mazes}", 'layouts="held-out"')
    parts = ", ".join(f'{{ kind = "episodes", path = "{folder.resolve()}" }}' for folder in recorded)
    for seed in arguments.seeds:
        folder = out / f"seed-{seed}"
        if not (folder / "summary.json").exists():
            run("train", HERE / "experiment.toml", "--run", folder, *keys([f"seed={seed}", f"data.source.parts=[{parts}]"]))
        if not (folder / "memory.safetensors").exists():
            run("memory", folder, *(word for source in explored for word in ("--learn", source)))
        for name in arguments.planners:
            result = folder / "plan" / f"{name}.result"
            if not result.exists():
                run("plan", folder, "--tasks", tasks, "--episodes", arguments.tasks, *keys(PLANNERS[name]), "--json", result)


if __name__ == "__main__":
    main()
