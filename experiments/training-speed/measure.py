"""What the peers in PyTorch have in common: they say what they hold, and time the runs that they are asked for."""

import json
import sys
import time

import torch


def memory(field):
    """VmRSS or VmHWM of this process, in bytes."""
    with open("/proc/self/status") as status:
        line = next(line for line in status if line.startswith(field))
    return int(line.split()[1]) * 1024


def seconds(run, count):
    times = []
    for _ in range(count):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return times


def matmul_flops_per_second(dtype):
    a, b = torch.randn(1024, 1024).to(dtype), torch.randn(1024, 1024).to(dtype)
    seconds(lambda: a @ b, 3)
    return 2 * 1024**3 / sorted(seconds(lambda: a @ b, 15))[7]


def serve(prepare, warm_up, dtype):
    """Prints what the process holds before it builds anything, then for each line `run N` the seconds of N runs, and at the end the most
    memory it ever held and the rate of a large product."""
    base = memory("VmRSS")
    run = prepare()
    seconds(run, warm_up)
    print(json.dumps({"torch": torch.__version__, "base_memory_bytes": base}), flush=True)
    for line in sys.stdin:
        print(json.dumps(seconds(run, int(line.split()[1]))), flush=True)
    peak = memory("VmHWM")
    print(json.dumps({"peak_memory_bytes": peak, "matmul_flops_per_second": matmul_flops_per_second(dtype)}), flush=True)
