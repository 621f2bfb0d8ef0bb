"""What every peer shares: the list of clips, worker processes, and the clock.

A peer is a function `read(path, indices, output) -> float32 [16, 3, 224, 224]` in a module of its own. The clips are those that
`prevision data bench --list FILE` drew; worker w takes the clips w, w + W, w + 2 W, ... Every worker opens a video once and
keeps the `KEPT` used last open, as the peers' users do. The clock runs from the moment that all workers are ready.
"""

import argparse
import collections
import importlib
import json
import multiprocessing
import resource
import sys
import time

MEAN, STD = (0.5, 0.5, 0.5), (0.5, 0.5, 0.5)
KEPT = 16


class Output:
    """The size of a clip: the short side is scaled to `short`, then the middle `size` x `size` is cut out."""

    def __init__(self, size, short):
        self.size, self.short = size, short

    def scaled(self, width, height):
        if width <= height:
            return self.short, max(self.short, round(self.short * height / width))
        return max(self.short, round(self.short * width / height)), self.short

    def corner(self, width, height):
        return (width - self.size) // 2, (height - self.size) // 2


class Kept:
    """The videos opened last, by path."""

    def __init__(self, opener):
        self.opener, self.videos = opener, collections.OrderedDict()

    def __call__(self, path):
        if path not in self.videos:
            self.videos[path] = self.opener(path)
            if len(self.videos) > KEPT:
                self.videos.popitem(last=False)
        self.videos.move_to_end(path)
        return self.videos[path]


def cpu_seconds():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def work(module, clips, output, ready, go, results):
    peer = importlib.import_module(module)
    read = peer.reader(Output(*output))
    ready.release()
    go.wait()
    before = cpu_seconds()
    failed, total = [], 0.0
    for path, indices in clips:
        try:
            clip = read(path, indices)
            total += float(clip.reshape(-1)[0])
            assert tuple(clip.shape) == peer.shape(len(indices), output[0]), tuple(clip.shape)
        except Exception as error:  # a peer's failure is a result
            failed.append(f"{path}: {str(error)[:200]}")
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    results.put((time.perf_counter(), failed, memory, cpu_seconds() - before))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("peer")
    parser.add_argument("list", help="what `prevision data bench --list` wrote")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--short", type=int, default=256)
    parser.add_argument("--json", default="-")
    arguments = parser.parse_args()
    with open(arguments.list) as file:
        clips = [(clip["path"], clip["indices"]) for clip in json.load(file)["clips"]]
    context = multiprocessing.get_context("spawn")
    ready, go, results = context.Semaphore(0), context.Event(), context.Queue()
    processes = [
        context.Process(
            target=work,
            args=(arguments.peer, clips[k :: arguments.workers], (arguments.size, arguments.short), ready, go, results),
        )
        for k in range(arguments.workers)
    ]
    for process in processes:
        process.start()
    for _ in processes:
        ready.acquire()
    begin = time.perf_counter()
    go.set()
    ends = [results.get() for _ in processes]
    seconds = max(end for end, _, _, _ in ends) - begin
    for process in processes:
        process.join()
    failed = [text for _, texts, _, _ in ends for text in texts]
    done = len(clips) - len(failed)
    report = {
        "peer": arguments.peer,
        "clips": done,
        "seconds": seconds,
        "clips_per_second": done / seconds,
        "frames_per_second": done * len(clips[0][1]) / seconds,
        "peak_memory_bytes": sum(memory for _, _, memory, _ in ends),
        "cpu": sum(cpu for _, _, _, cpu in ends) / seconds,
        "failed": sorted(set(failed)),
    }
    text = json.dumps(report, indent=1)
    if arguments.json == "-":
        sys.stdout.write(text + "\n")
    else:
        with open(arguments.json, "w") as file:
            file.write(text)


if __name__ == "__main__":
    main()
