"""Draws success over operations per episode, from what run.py measured: figure.svg, and a table for README.md on standard output.

    python experiments/mazes/figure.py mazes
"""

import json
import math
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.append(str(HERE.parent))
from running import wilson  # noqa: E402

WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 640, 400, 60, 20, 20, 50
COLOURS = {"flat": "#888888", "memory": "#1b7837", "hierarchy": "#2166ac", "both": "#b2182b"}


def results(folder):
    """Name of the planner, seed and result, of all that were measured."""
    for path in sorted(pathlib.Path(folder).glob("seed-*/plan/*.result")):
        yield path.stem, int(path.parts[-3].removeprefix("seed-")), json.loads(path.read_text())


def main():
    measured = list(results(sys.argv[1]))
    low, high = 9.0, 13.0
    x = lambda operations: LEFT + (math.log10(operations) - low) / (high - low) * (WIDTH - LEFT - RIGHT)
    y = lambda share: TOP + (1 - share) * (HEIGHT - TOP - BOTTOM)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
    ]
    for share in (0, 0.2, 0.4, 0.6, 0.8, 1):
        parts.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(share)}" y2="{y(share)}" stroke="#dddddd"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y(share) + 4}" text-anchor="end">{share * 100:.0f} %</text>')
    for power in range(int(low), int(high) + 1):
        parts.append(f'<text x="{x(10**power)}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">1e{power}</text>')
    parts.append(f'<text x="{WIDTH / 2}" y="{HEIGHT - 10}" text-anchor="middle">floating-point operations of planning per episode</text>')
    named = {}
    for name, seed, result in measured:
        named.setdefault(name, []).append((seed, result))
        across, up = x(result["operations_per_episode"]), y(result["success_rate"])
        below, above = (y(share) for share in result["interval"])
        colour = COLOURS[name]
        parts.append(f'<line x1="{across}" x2="{across}" y1="{below}" y2="{above}" stroke="{colour}"/>')
        parts.append(f'<circle cx="{across}" cy="{up}" r="5" fill="{colour}"><title>{name}, seed {seed}</title></circle>')
    for place, name in enumerate(name for name in COLOURS if name in named):
        parts.append(f'<circle cx="{LEFT + 14}" cy="{TOP + 14 + 18 * place}" r="5" fill="{COLOURS[name]}"/>')
        parts.append(f'<text x="{LEFT + 26}" y="{TOP + 18 + 18 * place}">{name.replace("-", " ")}</text>')
    parts.append("</svg>")
    (HERE / "figure.svg").write_text("\n".join(parts) + "\n")

    print("| planner | by training seed | all | interval | TFLOP per episode | s per episode |\n|---|---|---|---|---|---|")
    for name in (name for name in COLOURS if name in named):
        runs = sorted(named[name], key=lambda run: run[0])
        successes, count = (sum(run[key] for _, run in runs) for key in ("successes", "episodes"))
        low, high = wilson(successes, count)
        mean = lambda key: sum(run[key] for _, run in runs) / len(runs)
        each = ", ".join(f"{run['success_rate'] * 100:.1f}" for _, run in runs)
        print(
            f"| {name.replace('-', ' ')} | {each} | {successes / count * 100:.1f} % ({successes} of {count}) | {low * 100:.0f} to {high * 100:.0f} % "
            f"| {mean('operations_per_episode') / 1e12:.2f} | {mean('seconds_per_episode'):.2f} |"
        )


if __name__ == "__main__":
    main()
