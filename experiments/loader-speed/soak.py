#!/usr/bin/env python3
"""Memory over many clips: runs `prevision data bench` and reads its resident memory every half second.

    python soak.py SOURCE [--clips 20000] [--size 112]

Prints the resident memory after each tenth of the run, and fails if the last tenth is more than 3 % above the sixth.
"""

import argparse
import os
import pathlib
import statistics
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent


def resident(process):
    with open(f"/proc/{process}/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source")
    parser.add_argument("--clips", type=int, default=20_000)
    parser.add_argument("--size", type=int, default=112)
    parser.add_argument("--stride", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--prevision", default=os.environ.get("PREVISION", HERE.parents[1] / "target/release/prevision"))
    arguments = parser.parse_args()
    command = [arguments.prevision, "data", "bench", arguments.source, "--clips", str(arguments.clips)]
    command += ["--size", str(arguments.size), "--stride", str(arguments.stride), "--workers", str(arguments.workers)]
    begin = time.time()
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    samples = []
    while process.poll() is None:
        try:
            samples.append(resident(process.pid))
        except (FileNotFoundError, ProcessLookupError):
            break
        time.sleep(0.5)
    print(process.communicate()[0])
    tenths = [samples[len(samples) * k // 10 : len(samples) * (k + 1) // 10] for k in range(10)]
    medians = [statistics.median(tenth) for tenth in tenths if tenth]
    print(f"{arguments.clips} clips in {time.time() - begin:.0f} s; resident MiB by tenths of the time:")
    print(" ".join(f"{value:.0f}" for value in medians))
    if process.returncode or len(medians) < 10 or medians[-1] > 1.03 * medians[5]:
        sys.exit("memory is not flat")


if __name__ == "__main__":
    main()
