"""Records, trains, distils and plans: the reflex and the guardrails that README.md tells of. Needs a built prevision and nothing but
Python's own library.

    python experiments/two-rooms/beyond.py target/release/prevision --seeds 1 2 --out two-rooms

Each step whose result is there already is skipped, so that what was interrupted goes on. In the end it prints the tables.
"""

import argparse
import json
import math
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.append(str(HERE.parent))
from running import keys, runner, wilson  # noqa: E402

QUARTER = ["plan.solver.samples=25", "plan.solver.elites=5", "plan.solver.keep_elites=2"]
REFLEX = ["plan.reflex.file=reflex.safetensors"]
CENTRES = [(15, 33), (50, 33)]
REGIONS = ", ".join(f'{{ kind = "circle", centre = [{x}, {y}], radius = 6 }}' for x, y in CENTRES)
KEEP_OUT = [
    f"plan.constraints.keep-out.regions=[{REGIONS}]",
    "plan.constraints.keep-out.margin=1.5",
]
# How to plan, by name: keys of [plan] beside those of experiment.toml.
PLANNERS = {
    "planner": [],
    "planner, a quarter of the samples": QUARTER,
    "planner with reflex, a quarter of the samples": REFLEX + QUARTER,
    "reflex alone": REFLEX + ["plan.reflex.alone=true"],
    "keep-out, not enforced": KEEP_OUT + ["plan.constraints.keep-out.enforce=false"],
    "keep-out": KEEP_OUT,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("prevision", type=pathlib.Path)
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("two-rooms"))
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--tasks", type=int, default=100, help="so many of the tasks, from the first")
    parser.add_argument("--planners", nargs="+", default=list(PLANNERS), choices=list(PLANNERS))
    arguments = parser.parse_args()
    out, run = arguments.out, runner(arguments.prevision)

    out.mkdir(parents=True, exist_ok=True)
    episodes = out / "episodes"
    if not episodes.exists():
        run("data", "generate", "two-rooms", "--episodes", 4000, "--seed", 1, "--out", episodes)
    for seed in arguments.seeds:
        folder = out / f"seed-{seed}"
        if not (folder / "summary.json").exists():
            # So many steps, however long they take: otherwise the machine would decide on the learning rate.
            given = [f"seed={seed}", f'data.source.path="{episodes.resolve()}"', "train.minutes=600"]
            run("train", HERE / "experiment.toml", "--run", folder, *keys(given))
        if not (folder / "reflex.safetensors").exists():
            run("distil", folder, "--json", folder / "distil.json")
        for name in arguments.planners:
            result = folder / "plan" / f"{name}.result"
            if not result.exists():
                given = ["plan.stop_on_arrival=true", *PLANNERS[name]]
                run("plan", folder, "--tasks", HERE / "tasks.json", "--episodes", arguments.tasks, *keys(given), "--json", result)
    show(out)


def show(out):
    """Prints a row for each planner, over all seeds that it was run with."""
    tasks = json.loads((HERE / "tasks.json").read_text())["tasks"]
    print("| | by training seed | arrived | 95 % interval | s per episode | violating steps |\n|---|---|---|---|---|---|")
    for name in PLANNERS:
        paths = sorted(out.glob(f"seed-*/plan/{name}.result"))
        runs = [counted(name, json.loads(path.read_text()), tasks) for path in paths]
        if not runs:
            continue
        successes, count, violations = (sum(run[part] for run in runs) for part in range(3))
        low, high = wilson(successes, count)
        each = ", ".join(f"{run[0]} of {run[1]}" for run in runs)
        seconds = sum(run[3] for run in runs) / len(runs)
        shown = violations if name.startswith("keep-out") else ""
        print(f"| {name} | {each} | {successes / count * 100:.1f} % ({successes} of {count}) | {low * 100:.0f} to {high * 100:.0f} % | {seconds:.3f} | {shown} |")


def counted(name, result, tasks):
    """Successes, trials, violating steps and seconds per episode. A task that begins or ends in a region to keep out of is no trial."""
    episodes = result["per_episode"]
    if name.startswith("keep-out"):
        inside = lambda state: any(math.dist(state[:2], centre) < 8 for centre in CENTRES)
        episodes = [one for one in episodes if not any(inside(tasks[one["episode"]][end]) for end in ("start", "goal"))]
    violations = sum(sum((one.get("violations") or {}).values()) for one in episodes)
    return sum(one["success"] for one in episodes), len(episodes), violations, result["seconds_per_episode"]


if __name__ == "__main__":
    main()
