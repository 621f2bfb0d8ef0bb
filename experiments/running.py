"""What experiments that run prevision step by step have in common."""

import math
import subprocess


def runner(program):
    """A function that runs the program with some words, and ends when it fails."""

    def run(*words):
        words = [str(word) for word in (program.resolve(), *words)]
        print(" ".join(words[1:]), flush=True)
        subprocess.run(words, check=True)

    return run


def keys(pairs):
    """Overrides of keys, as words of a command line."""
    return [word for pair in pairs for word in ("--set", pair)]


def wilson(successes, count):
    """The 95 % interval of a share."""
    z, share = 1.96, successes / count
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count)) / (1 + z * z / count)
    return middle - half, middle + half
