"""Records, trains, explores and plans: everything that README.md tells. Needs a built prevision and nothing but Python's own library.

    python experiments/mazes/run.py target/release/prevision --seeds 1 2 3 --out mazes

Each step whose result is there already is skipped, so that what was interrupted goes on. `figure.py` draws what was measured.
"""

import argparse
import json
import pathlib
import subprocess

HERE = pathlib.Path(__file__).parent

# How to plan, by name: keys of [plan] beside those of experiment.toml.
PLANNERS = {
    "flat": ["plan.hierarchy.levels=1"],
    "memory": ["plan.hierarchy.levels=1", "plan.memory.places=memory.safetensors", "plan.memory.learn=false"],
    "hierarchy": ["plan.hierarchy.levels=2"],
    "both": ["plan.hierarchy.levels=2", "plan.memory.places=memory.safetensors", "plan.memory.learn=false"],
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("prevision", type=pathlib.Path)
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("mazes"))
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--planners", nargs="+", default=list(PLANNERS), choices=list(PLANNERS))
    arguments = parser.parse_args()
    out, program = arguments.out, arguments.prevision.resolve()

    def run(*words):
        words = [str(word) for word in (program, *words)]
        print(" ".join(words[1:]), flush=True)
        subprocess.run(words, check=True)

    def keys(*pairs):
        return [word for pair in pairs for word in ("--set", pair)]

    out.mkdir(parents=True, exist_ok=True)
    recorded, explored = out / "recorded", out / "explored"
    tasks = HERE / "tasks.json"
    if not recorded.exists():
        run("data", "generate", "maze", "--episodes", 3000, "--steps", 90, *keys('collision="slide"'), "--out", recorded)
    manifest = json.loads(tasks.read_text())
    mazes = manifest["env"]["mazes"]
    if not explored.exists():
        where = keys(f"mazes={mazes}", 'layouts="held-out"', 'collision="slide"')
        run("data", "generate", "maze", "--episodes", 20 * mazes, "--steps", 90, "--seed", 9, *where, "--out", explored)
    for seed in arguments.seeds:
        folder = out / f"seed-{seed}"
        if not (folder / "summary.json").exists():
            where = keys(f"seed={seed}", f'data.source.path="{recorded}"')
            run("train", HERE / "experiment.toml", "--run", folder, *where)
        if not (folder / "memory.safetensors").exists():
            run("memory", folder, "--learn", explored)
        for name in arguments.planners:
            result = folder / "plan" / f"{name}.result"
            if not result.exists():
                run("plan", folder, "--tasks", tasks, *keys(*PLANNERS[name]), "--json", result)


if __name__ == "__main__":
    main()
