#!/usr/bin/env python3
"""Our loader and its peers in turn on the same files, the same random clips, the same output. See README.md.

    python run.py SOURCE [--cases first,once,many,prepared] [--clips 60] [--workers 2] [--rounds 3] [--json results/NAME.json]

Cases, each with a table of its own:
    first     no index is there yet: every file is opened for the first time
    once      each usable video gives one clip, so that no two clips can be read in one pass
    many      --clips random clips, with indices that were there
    prepared  the copies that `prevision data prepare` wrote, ten times as many clips, against the peers on the videos themselves
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
CASES = ["first", "once", "many", "prepared"]
LIMIT = "bare_decoding"
OURS = "prevision"


def run(command, environment=None):
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **(environment or {})})
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stderr}")
    return done


class Bench:
    def __init__(self, arguments, folder):
        self.arguments, self.folder = arguments, folder
        self.peers = [LIMIT] + [name for name in arguments.peers.split(",") if name]
        self.list = folder / "clips.json"

    def ours(self, source, clips, seed, cache="cache", listed=None):
        report = self.folder / "ours.json"
        run(
            [self.arguments.prevision, "data", "bench", source, "--clips", str(clips), "--frames", "16"]
            + ["--stride", "4", "--size", "224", "--workers", str(self.arguments.workers), "--seed", str(seed)]
            + ["--list", listed or self.list, "--json", report],
            {"PREVISION_CACHE": str(self.folder / cache)},
        )
        return json.loads(report.read_text())

    def peer(self, name):
        report = self.folder / "peer.json"
        command = [self.arguments.python, HERE / "peers" / "common.py", name, self.list]
        run(command + ["--workers", str(self.arguments.workers), "--json", report])
        return json.loads(report.read_text())

    def usable(self, source):
        """A manifest of the videos that can give a clip."""
        report = self.ours(source, 1000, 0)
        skipped = {file["path"] for file in report["skipped_files"]}
        drawn = {clip["path"] for clip in json.loads(self.list.read_text())["clips"]} - skipped
        manifest = self.folder / "usable.txt"
        manifest.write_text("".join(f"{os.path.abspath(path)}\n" for path in sorted(drawn)))
        # Batches of 8: what does not fill one waits for the next epoch.
        return manifest, len(drawn) // 8 * 8 or len(drawn)

    def case(self, name, source):
        clips = self.arguments.clips
        sources = {OURS: source}
        if name == "once":
            source, clips = self.usable(source)
            sources = {OURS: source}
        elif name == "many":
            self.ours(source, 1000, 0)
        elif name == "prepared":
            sources |= {f"{OURS}, prepared {encoding}": out for encoding, out in self.prepare(source)}
        reports = {loader: [] for loader in [*sources, *self.peers]}
        for turn in range(self.arguments.rounds):
            seed = self.arguments.seed + turn
            cache = f"first-{turn}" if name == "first" else "cache"
            reports[OURS].append(self.ours(sources[OURS], clips, seed, cache))
            for loader in self.peers:
                reports[loader].append(self.peer(loader))
            for loader in list(sources)[1:]:
                other = self.folder / "other.json"
                reports[loader].append(self.ours(sources[loader], 10 * clips, seed, listed=other))
        self.table(name, clips, reports)
        return reports

    def prepare(self, source):
        for encoding in filter(None, self.arguments.prepared.split(",")):
            out = self.folder / encoding
            run([self.arguments.prevision, "data", "prepare", source, "--out", out, "--format", encoding])
            yield encoding, str(out)

    def table(self, name, clips, reports):
        rate = {loader: statistics.median(turn["clips_per_second"] for turn in turns) for loader, turns in reports.items()}
        cpu = {
            loader: statistics.median(1000 * turn["cpu"] * turn["seconds"] / max(turn["clips"], 1) for turn in turns)
            for loader, turns in reports.items()
        }
        rivals = [loader for loader in self.peers if loader != LIMIT]
        best, thrift = max(rate[loader] for loader in rivals), min(cpu[loader] for loader in rivals)
        print(f"\n{name}: {clips} clips, {self.arguments.workers} workers, median of {self.arguments.rounds} rounds\n")
        print("| loader | clips/s | to the best peer | processor ms a clip | to the best peer | to bare decoding | MiB | clips failed |")
        print("|---|---|---|---|---|---|---|---|")
        for loader, turns in reports.items():
            failed = sum(clips - turn["clips"] for turn in turns) if loader in self.peers else 0
            memory = max(turn["peak_memory_bytes"] for turn in turns) / 2**20
            print(
                f"| {loader} | {rate[loader]:.1f} | {rate[loader] / best:.2f} | {cpu[loader]:.1f} | {thrift / cpu[loader]:.2f} "
                f"| {cpu[LIMIT] / cpu[loader]:.2f} | {memory:.0f} | {failed} of {clips * len(turns)} |",
                flush=True,
            )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", help="a folder of videos, a manifest, or one video")
    parser.add_argument("--cases", default=",".join(CASES))
    parser.add_argument("--clips", type=int, default=60)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peers", default=",".join(PEERS))
    parser.add_argument("--prepared", default="raw,h264,mjpeg", help="which copies to prepare")
    parser.add_argument("--prevision", default=os.environ.get("PREVISION", HERE.parents[1] / "target/release/prevision"))
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("--folder", help="where prepared copies and indices go while this runs", default=None)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        bench = Bench(arguments, pathlib.Path(name))
        print(f"{arguments.source}; load before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
        reports = {case: bench.case(case, arguments.source) for case in arguments.cases.split(",")}
    if arguments.json:
        arguments.json.parent.mkdir(parents=True, exist_ok=True)
        arguments.json.write_text(json.dumps({"arguments": {k: str(v) for k, v in vars(arguments).items()}, "reports": reports}, indent=1))


if __name__ == "__main__":
    main()
