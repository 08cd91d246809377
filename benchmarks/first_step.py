"""From the official files to the first training step.

    python -m benchmarks.first_step [--rounds 5]

Reading: both splits as uint8 and int64 tensors, the files' checksums included, in this process.
First step: `fmnist train` in a fresh process, from `import torch` done to the first optimizer step.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from benchmarks.harness.rows import Row, parser, report

MOST_READING = 0.5
MOST_FIRST_STEP = 1.5
RECIPES = ("fast", "default")

_CHILD: Final = """
import os, sys, time
from fmnist_cli.__main__ import main, prepare_environment
prepare_environment()
import torch
done_at = time.perf_counter()
from fmnist_cli.training.step import TrainStep
def step(*_):
    print(time.perf_counter() - done_at, flush=True)
    os._exit(0)
TrainStep.step = step
main()
"""


def measure(rounds: int) -> Iterator[Row]:
    """Read, then start; yields a row each."""
    yield Row(
        what="official IDX files to ready tensors",
        ours=statistics.median(_read() for _ in range(rounds)),
        unit="s",
        n=rounds,
        at_most=MOST_READING,
    )
    for recipe in RECIPES:
        yield Row(
            what=f"`fmnist train --recipe {recipe}`: from `import torch` done to the first step",
            ours=statistics.median(_first_step(recipe) for _ in range(rounds)),
            unit="s",
            n=rounds,
            at_most=MOST_FIRST_STEP,
        )


def _read() -> float:
    import torch

    from fmnist_cli.data.sources import open_source
    from fmnist_cli.training.batches import on_device

    started_at = time.perf_counter()
    source = open_source()
    for split in ("train", "test"):
        on_device(source.read(split), torch.device("cpu"))
    return time.perf_counter() - started_at


def _first_step(recipe: str) -> float:
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-c", _CHILD, "train", "-q", "--recipe", recipe]
        done = subprocess.run(
            [*command, "--run-dir", str(Path(folder) / "run")],
            cwd=folder,
            capture_output=True,
            text=True,
            check=True,
        )
    return float(done.stdout)


def main() -> int:
    """Print the rows; returns the exit code."""
    options = parser(__doc__)
    options.add_argument("--rounds", type=int, default=5)
    given = options.parse_args()
    return report(measure(given.rounds), given)


if __name__ == "__main__":
    sys.exit(main())
