"""Where the processor's time of a case goes, and how fast its products are while they run.

    apt-get install linux-perf binutils
    python3 experiments/training-speed/shares.py target/release/prevision --case vit-train

Samples of `perf` are put down to the source files of their inlined functions. What `cpu/product` and `cpu/convolution` do is products (laying
operands out included) unless an epilogue does it: bias, activation, residual. The rate of products is all operations of the case over
the time of products; that time counts the warm-up run and the yardstick's too, so the rate is rather too low.
"""

import argparse
import collections
import json
import pathlib
import re
import resource
import subprocess
import tempfile

CASES = ["vit-train", "vit-infer", "conv-train", "conv-infer", "rollout"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("prevision", type=pathlib.Path, help="the binary, with debug information")
    parser.add_argument("--case", action="append", choices=CASES, help="default: all")
    parser.add_argument("--precision", action="append", choices=["f32", "bf16"], help="default: both")
    parser.add_argument("--seconds", type=float, default=15, help="length of a recording")
    options = parser.parse_args()
    print("| case | precision | products | epilogues | other kernels | rest | products run at | of a large product |")
    print("|---|---|---|---|---|---|---|---|")
    for case in options.case or CASES:
        for precision in options.precision or ["f32", "bf16"]:
            print(row(options.prevision.resolve(), case, precision, options.seconds), flush=True)


def row(binary, case, precision, seconds):
    command = [binary, "bench", case, "--precision", precision, "--warm-up", "1", "--json", "-", "--runs"]
    once = json.loads(subprocess.run([*command, "3"], capture_output=True, check=True).stdout)
    runs = max(3, round(seconds / once["median_seconds"]))
    with tempfile.TemporaryDirectory() as folder:
        data = pathlib.Path(folder, "perf.data")
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        result = subprocess.run(["perf", "record", "-o", data, *command, str(runs)], capture_output=True, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        samples, elsewhere = addresses(data, binary)
    measured = json.loads(result.stdout[: result.stdout.rindex(b"}") + 1])
    kinds = collections.Counter({"rest": elsewhere})
    for address, files in chains(binary, samples):
        kinds[kind(files)] += samples[address]
    total = sum(kinds.values())
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    threads = measured["threads"]
    rate = measured["flops"] * (runs + 1) / (cpu * kinds["products"] / total / threads)
    large = measured["matmul_flops_per_second"]
    shares = " | ".join(f"{100 * kinds[name] / total:.0f} %" for name in ["products", "epilogues", "kernels", "rest"])
    return f"| {case} | {precision} | {shares} | {rate / 1e9:.0f} GFLOP/s | {100 * rate / large:.0f} % |"


def addresses(data, binary):
    """Samples by address in the binary, and how many are elsewhere."""
    script = ["perf", "script", "-i", data, "-F", "ip", "--show-mmap-events"]
    text = subprocess.run(script, capture_output=True, text=True, check=True).stdout
    headers = subprocess.run(["readelf", "-lW", binary], capture_output=True, text=True, check=True).stdout
    pattern = r"LOAD\s+(0x\w+)\s+(0x\w+)\s+0x\w+\s+(0x\w+)"
    segments = [[int(number, 16) for number in found] for found in re.findall(pattern, headers)]
    mapped, counts, elsewhere = None, collections.Counter(), 0
    for line in text.splitlines():
        mapping = re.search(r"MMAP2.*\[(0x\w+)\((0x\w+)\) @ (0x\w+|0) .*r-xp (\S+)", line)
        if mapping and mapping[4] == str(binary):
            start, length, offset = (int(mapping[group], 16) for group in (1, 2, 3))
            mapped = (start, start + length, offset)
        elif re.fullmatch(r"\s*[0-9a-f]+\s*", line):
            place = int(line, 16)
            if mapped and mapped[0] <= place < mapped[1]:
                place += mapped[2] - mapped[0]
                counts[next(place - offset + address for offset, address, size in segments if offset <= place < offset + size)] += 1
            else:
                elsewhere += 1
    return counts, elsewhere


def chains(binary, samples):
    """For each address the source files of its functions, the innermost first."""
    names = [hex(address) for address in samples]
    text = subprocess.run(
        ["addr2line", "-a", "-i", "-e", binary], input="\n".join(names), capture_output=True, text=True, check=True
    ).stdout
    for block in re.split(r"^(?=0x)", text, flags=re.M)[1:]:
        address, *places = block.splitlines()
        yield int(address, 16), places


def kind(files):
    kernels = [match[1] for match in (re.search(r"crates/kernels/src/([\w/]+)\.rs", file) for file in files) if match]
    if any(re.match("cpu/(linear|activation|gate|math|sums|residual)$", file) for file in kernels[:-1]) and any(
        re.match("cpu/(product|convolution)/", file) for file in kernels
    ):
        return "epilogues"
    if any(re.match("cpu/(product|convolution|vectors)", file) for file in kernels):
        return "products"
    return "kernels" if kernels else "rest"


if __name__ == "__main__":
    main()
