"""Times `prevision bench` and PyTorch on the same work, in turns, and writes results/CASE.json and results/table.md.

    python3 -m venv venv && venv/bin/pip install torch
    make build
    venv/bin/python experiments/training-speed/compare.py target/release/prevision

First every setting (threads, compiled or not, layout of the channels) is tried for a moment; the fastest of each entrant then runs in
turns with the others. `--case` limits it to some cases, `--rounds` says how often they take turns. `--lock FILE` is for a machine that
several people measure on: it is held while something is timed. `--folder planning-speed` compares plans, `--folder encoding-speed`
encoders of released sizes, each with the peer of that folder.
"""

import argparse
import contextlib
import fcntl
import itertools
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
CASES = {
    "training-speed": ["vit-train", "vit-infer", "conv-train", "conv-infer", "rollout", "vjepa-encode"],
    "encoding-speed": ["encode-base", "encode-large", "lewm-encode", "lewm-rollout"],
    "planning-speed": ["gru-plan", "gru-plan-short", "lewm-plan"],
}
# Settings that are tried for each entrant; of each the fastest takes part.
OURS = {"prevision": {}, "prevision bf16": {"precision": "bf16"}}
THEIRS = {
    "PyTorch eager": [{}],
    "PyTorch compiled": [{"compile": True}],
    "PyTorch bf16": [{"bf16": True}, {"bf16": True, "compile": True}],
}
# What upstream could do and does not; for comparison.
BETTER = {
    "PyTorch, encoded once": [{"encode_once": True}, {"encode_once": True, "compile": True}],
    "PyTorch bf16, encoded once": [{"bf16": True, "encode_once": True}, {"bf16": True, "encode_once": True, "compile": True}],
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("prevision", type=pathlib.Path, help="the binary")
    parser.add_argument("--folder", choices=CASES, default="training-speed")
    parser.add_argument("--case", action="append", help="default: all of the folder")
    parser.add_argument("--entrant", action="append", choices=[*OURS, *THEIRS, *BETTER], help="default: all")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--lock", type=pathlib.Path)
    options = parser.parse_args()
    folder = HERE.parent / options.folder
    for case in options.case or CASES[options.folder]:
        compare(case, folder, options)
        (folder / "results" / "table.md").write_text(table(folder))


@contextlib.contextmanager
def alone(lock):
    """Holds the lock, if there is one."""
    if lock is None:
        yield
        return
    with open(lock, "a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


class Ours:
    """Runs of the binary: one process for each turn."""

    def __init__(self, options, case, threads, precision="f32"):
        self.settings = {"threads": threads}
        self.command = [options.prevision, "bench", case, "--threads", threads, "--precision", precision, "--warm-up", 1, "--json", "-"]
        self.memory, self.rates = 0, []

    def run(self, count):
        output = subprocess.run(map(str, [*self.command, "--runs", count]), check=True, capture_output=True, text=True).stdout
        results = json.loads(output)
        self.memory = max(self.memory, results["peak_memory_bytes"])
        self.rates.append(results["matmul_flops_per_second"])
        self.flops = results["flops"]
        return results["median_seconds"]

    def close(self):
        # What the process holds before it builds anything is under 20 MB.
        return {"peak_memory_bytes": self.memory, "matmul_flops_per_second": statistics.median(self.rates), "flops": self.flops}


class Theirs:
    """Runs of PyTorch: one process for all turns, so that it compiles once."""

    def __init__(self, folder, case, threads, **flags):
        self.settings = {"threads": threads, **flags}
        command = [sys.executable, folder / "peer.py", case, "--threads", threads]
        command += [f"--{name.replace('_', '-')}" for name, value in flags.items() if value]
        self.process = subprocess.Popen(
            list(map(str, command)), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        self.base = self.answer()

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"{self.process.args} ended with {self.process.wait()}")
        return json.loads(line)

    def run(self, count):
        print(f"run {count}", file=self.process.stdin, flush=True)
        return statistics.median(self.answer())

    def close(self):
        self.process.stdin.close()
        told = self.answer()
        self.process.wait()
        return {**self.base, **told}


def compare(case, folder, options):
    peers = THEIRS | BETTER if case.startswith("gru-plan") else THEIRS
    wanted = options.entrant or [*OURS, *peers]
    # Plans and large encoders take so long that nobody is faster on fewer threads.
    cores = [os.cpu_count()] if options.folder != "training-speed" else sorted({1, os.cpu_count()})
    layouts = [{}, {"channels_last": True}] if case.startswith("conv") else [{}]
    entrants = {}
    for name in wanted:
        if name in OURS:
            makers = [lambda t=t: Ours(options, case, t, **OURS[name]) for t in cores]
        else:
            makers = [
                lambda t=t, s=setting, l=layout: Theirs(folder, case, t, **s, **l)
                for setting, layout, t in itertools.product(peers[name], layouts, cores)
            ]
        entrants[name] = fastest(name, makers, options.lock)
    seconds = {name: [] for name in entrants}
    for turn in range(options.rounds):
        for name, (entrant, count) in entrants.items():
            with alone(options.lock):
                seconds[name].append(entrant.run(count))
            print(f"{case}, round {turn + 1}: {name} {seconds[name][-1]:.4f} s", file=sys.stderr)
    rows = []
    for name, (entrant, count) in entrants.items():
        with alone(options.lock):
            told = entrant.close()
        times = seconds[name]
        rows.append(
            {
                "entrant": name,
                **entrant.settings,
                "median_seconds": statistics.median(times),
                "min_seconds": min(times),
                "max_seconds": max(times),
                "rounds": options.rounds,
                "runs_per_round": count,
                **told,
            }
        )
    results = {"case": case, "processor": processor(), "cores": os.cpu_count(), "entrants": rows}
    write(folder / "results" / f"{case}.json", json.dumps(results, indent=2) + "\n")


def fastest(name, makers, lock):
    """The fastest of some settings, and how many runs take about a second and a half."""
    best, least = None, float("inf")
    for make in makers:
        entrant = make()
        with alone(lock):
            took = entrant.run(1)
            took = took if took > 2 else min(took, entrant.run(3))
        print(f"  {name} {entrant.settings}: {took:.4f} s", file=sys.stderr)
        if took < least:
            loser, best, least = best, entrant, took
        else:
            loser = entrant
        if loser is not None:
            with alone(lock):
                loser.close()
    return best, max(3 if least < 2 else 1, min(50, round(1.5 / least)))


def processor():
    with open("/proc/cpuinfo") as info:
        names = [line.split(":")[1].strip() for line in info if line.startswith("model name")]
    return names[0] if names else platform.processor()


def table(folder):
    """All results as one Markdown table; a ratio below 1 means that prevision is faster."""
    lines = [
        "| case | entrant | threads | median | range | ratio | peak memory | of which before the model |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for case in CASES[folder.name]:
        path = folder / "results" / f"{case}.json"
        if not path.exists():
            continue
        rows = json.loads(path.read_text())["entrants"]
        for row in rows:
            own = row["entrant"].startswith("prevision")
            bf16 = "bf16" in row["entrant"]
            same = [r for r in rows if "PyTorch" in r["entrant"] and ("bf16" in r["entrant"]) == bf16]
            peers = [r["median_seconds"] for r in same if not r.get("encode_once")]
            ratio = f"**{row['median_seconds'] / min(peers):.2f}**" if own and peers else ""
            name = row["entrant"]
            name += ", compiled" if row.get("compile") and "compiled" not in name else ""
            name += ", channels last" if row.get("channels_last") else ""
            times = [1000 * row[f"{which}_seconds"] for which in ("median", "min", "max")]
            base = f"{row['base_memory_bytes'] / 1e6:.0f} MB" if "base_memory_bytes" in row else ""
            lines.append(
                f"| {case} | {name} | {row['threads']} | {times[0]:.1f} ms | {times[1]:.1f} to {times[2]:.1f} ms | {ratio} "
                f"| {row['peak_memory_bytes'] / 1e6:.0f} MB | {base} |"
            )
    return "\n".join(lines) + "\n"


def write(path, text):
    """Whole or not at all."""
    partial = path.with_suffix(".partial")
    partial.parent.mkdir(exist_ok=True)
    partial.write_text(text)
    partial.rename(path)


if __name__ == "__main__":
    main()
