#!/usr/bin/env python3
"""Our loader and its peers in turn on the same files, the same random clips, the same output. See README.md.

    python run.py SOURCE [--clips 100] [--workers 2] [--seed 0] [--rounds 3] [--prepared raw] [--json results/NAME.json]
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
PEERS = ["torchcodec_loader", "torchcodec_scaling", "decord_loader", "decord_scaling", "pyav_loader"]
LIMIT = "bare_decoding"


def run(command, environment=None):
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **(environment or {})})
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stderr}")
    return done


def ours(arguments, source, folder, clips_file, seed):
    report = folder / "ours.json"
    run(
        [arguments.prevision, "data", "bench", source, "--clips", str(arguments.clips), "--frames", "16"]
        + ["--stride", "4", "--size", "224", "--workers", str(arguments.workers), "--seed", str(seed)]
        + ["--list", clips_file, "--json", report],
        {"PREVISION_CACHE": str(folder / "cache")},
    )
    return json.loads(report.read_text())


def peer(arguments, name, folder, clips_file):
    report = folder / "peer.json"
    command = [arguments.python, HERE / "peers" / "common.py", name, clips_file]
    run(command + ["--workers", str(arguments.workers), "--json", report])
    return json.loads(report.read_text())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", help="a folder of videos, a manifest, or one video")
    parser.add_argument("--clips", type=int, default=100)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peers", default=",".join(PEERS))
    parser.add_argument("--prepared", default="", help="also prepare the source in these formats, for example raw,h264")
    parser.add_argument("--prevision", default=os.environ.get("PREVISION", HERE.parents[1] / "target/release/prevision"))
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--json", type=pathlib.Path)
    arguments = parser.parse_args()
    peers = [LIMIT] + [name for name in arguments.peers.split(",") if name]
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        sources = {"prevision": arguments.source}
        for encoding in filter(None, arguments.prepared.split(",")):
            out = folder / encoding
            run([arguments.prevision, "data", "prepare", arguments.source, "--out", out, "--format", encoding])
            sources[f"prevision, prepared {encoding}"] = str(out)
        reports = {name: [] for name in [*sources, *peers]}
        clips_file = folder / "clips.json"
        for turn in range(arguments.rounds):
            # Prepared data sets last, so that the list of clips is that of the sources.
            reports["prevision"].append(ours(arguments, arguments.source, folder, clips_file, arguments.seed + turn))
            for name in peers:
                reports[name].append(peer(arguments, name, folder, clips_file))
            for name, source in list(sources.items())[1:]:
                reports[name].append(ours(arguments, source, folder, folder / "other.json", arguments.seed + turn))
    rate = {name: statistics.median(turn["clips_per_second"] for turn in turns) for name, turns in reports.items()}
    cpu = {
        name: statistics.median(1000 * turn["cpu"] * turn["seconds"] / turn["clips"] for turn in turns)
        for name, turns in reports.items()
    }
    best = max(rate[name] for name in peers if name != LIMIT)
    thrift = min(cpu[name] for name in peers if name != LIMIT)
    print(f"{arguments.clips} clips, {arguments.workers} workers, median of {arguments.rounds} rounds: {arguments.source}\n")
    print("| loader | clips/s | against the best peer | processor ms a clip | against the best peer | peak memory MiB | clips failed |")
    print("|---|---|---|---|---|---|---|")
    for name, turns in reports.items():
        failed = sum(arguments.clips - turn["clips"] for turn in turns) if name in peers else 0
        memory = max(turn["peak_memory_bytes"] for turn in turns) / 2**20
        print(
            f"| {name} | {rate[name]:.1f} | {rate[name] / best:.2f} | {cpu[name]:.1f} | {thrift / cpu[name]:.2f} "
            f"| {memory:.0f} | {failed} of {arguments.clips * arguments.rounds} |"
        )
    if arguments.json:
        arguments.json.parent.mkdir(parents=True, exist_ok=True)
        arguments.json.write_text(json.dumps({"arguments": {k: str(v) for k, v in vars(arguments).items()}, "reports": reports}, indent=1))


if __name__ == "__main__":
    main()
