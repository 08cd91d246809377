"""From the official files to the first training step.

    python -m benchmarks.first_step [--rounds 5]

Reading: both splits, the files' checksums included, in this process. First step: `fmnist train` in
a fresh process, from the end of `import torch` to the first optimizer step.
"""

import sys
from collections.abc import Iterator
from timeit import repeat
from typing import Final

from benchmarks.program import official, scratch, timed
from benchmarks.report import Row, run

MAX_READING, MAX_FIRST_STEP = 0.5, 1.5

_CHILD: Final = """
import os, sys, time
from fmnist_cli.__main__ import main, prepare_environment
prepare_environment()
import torch
done_at = time.perf_counter()
from fmnist_cli.training.step import TrainStep
def step(*_):
    os.write(1, str(time.perf_counter() - done_at).encode())  # stdout is /dev/null here
    os._exit(0)
TrainStep.step = step
main()
"""


def measure(rounds: int = 5) -> Iterator[Row]:
    """Read, then start."""
    reading = repeat(lambda: [official("train"), official("test")], repeat=rounds, number=1)
    yield Row("official IDX files to arrays", reading, "s", bars={"≤": MAX_READING})
    for recipe in ("fast", "default"):
        yield Row(
            f"`fmnist train --recipe {recipe}`: from `import torch` done to the first step",
            [_first_step(recipe) for _ in range(rounds)],
            "s",
            bars={"≤": MAX_FIRST_STEP},
        )


def _first_step(recipe: str) -> float:
    with scratch() as folder:
        command = [sys.executable, "-c", _CHILD, "train", "-q", "--recipe", recipe]
        return float(timed(*command, "--run-dir", f"{folder}/run").stdout)


if __name__ == "__main__":
    run(measure)
