"""Ten times the data: images a second, and memory; and what `train` takes on the real data.

    python -m benchmarks.growth [--rounds 10]

Rate: `fast` takes an epoch's steps on 60,000 drawn images, and as many on
600,000, in turn, shuffling included. Memory: peaks of `fmnist train --epochs 1` on 600,000 drawn
images and, for the base, on 1,000; and of `fmnist train --epochs 1` on the real data.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path

from benchmarks.harness.commands import timed
from benchmarks.harness.rows import Row, parser, report
from benchmarks.program import PROGRAM
from fmnist_cli.__main__ import prepare_environment
from fmnist_cli.data.images import LabeledImages

FEW, MANY = 60_000, 600_000
TINY = 1_000
LEAST_RATIO = 0.95
MOST_BYTES = 1.3
MOST_TRAINING = 1_300.0
MEGABYTE = 1e6
BYTES_PER_IMAGE = 28 * 28 + 8
"""uint8 pixels and an int64 label."""


def measure(rounds: int) -> Iterator[Row]:
    """Compare peaks, then rates; yields a row each."""
    base = _peak("--data", f"synthetic:{TINY}", "--recipe", "fast")
    grown = _peak("--data", f"synthetic:{MANY}", "--recipe", "fast")
    data = MANY * BYTES_PER_IMAGE / MEGABYTE
    yield Row(
        what=f"peak memory of `fmnist train --data synthetic:{MANY}` above that of {TINY:,} images",
        ours=grown - base,
        unit="MB",
        n=1,
        baseline=data,
        against="the data",
        ratio_at_most=MOST_BYTES,
    )
    for recipe in ("tutorial", "default"):
        yield Row(
            what=f"peak memory of `fmnist train --recipe {recipe} --epochs 1` on the real data",
            ours=_peak("--recipe", recipe),
            unit="MB",
            n=1,
            at_most=MOST_TRAINING,
        )
    yield _rates(rounds)


def _peak(*options: str) -> float:
    """Peak memory of one epoch, in MB."""
    with tempfile.TemporaryDirectory() as folder:
        command = [str(PROGRAM), "train", "-q", "--epochs", "1", "--val-size", "0", *options]
        return timed(command, cwd=Path(folder)).peak_bytes / MEGABYTE


def _rates(rounds: int) -> Row:
    prepare_environment()  # before torch is loaded
    import torch

    from fmnist_cli import models
    from fmnist_cli.data import synthetic
    from fmnist_cli.training import device
    from fmnist_cli.training.augment import parse
    from fmnist_cli.training.batches import Batch, Batches
    from fmnist_cli.training.memory import keep_freed_memory
    from fmnist_cli.training.processes import Process
    from fmnist_cli.training.recipes import resolve
    from fmnist_cli.training.step import TrainStep

    keep_freed_memory()
    device.set_threads(None)
    config = resolve({"recipe": "fast"})
    steps = FEW // config.batch_size
    train_step = TrainStep(
        config,
        models.build(config.model),
        device=torch.device("cpu"),
        process=Process(),
        class_weights=None,
        total_steps=1_000_000,
        steps_per_epoch=steps,
    )
    train_step.train_mode()

    def endless(data: LabeledImages) -> Iterator[Batch]:
        batches = Batches(
            data,
            batch_size=config.batch_size,
            seed=0,
            normalization=models.network(config.model).normalization,
            augmentations=parse(config.augment),
            device=torch.device("cpu"),
        )
        for epoch in count():
            yield from batches.epoch(epoch)

    drawn = synthetic.draw(MANY, "train")
    streams = {size: endless(drawn[:size]) for size in (FEW, MANY)}
    seconds: dict[int, list[float]] = {size: [] for size in streams}
    for number in range(rounds + 1):
        for size, stream in streams.items():
            started_at = time.perf_counter()
            for _step in range(steps):
                batch = next(stream)
                train_step.step(batch.images, batch.labels, 0)
            if number:  # the first round allocates
                seconds[size].append(time.perf_counter() - started_at)
    rates = {size: steps * config.batch_size / statistics.median(seconds[size]) for size in streams}
    return Row(
        what=f"training on {MANY:,} drawn images, network of `fast`",
        ours=rates[MANY],
        unit="images/s",
        n=rounds,
        baseline=rates[FEW],
        against=f"on {FEW:,}",
        ratio_at_least=LEAST_RATIO,
    )


def main() -> int:
    """Print the rows; returns the exit code."""
    options = parser(__doc__)
    options.add_argument("--rounds", type=int, default=10)
    given = options.parse_args()
    return report(measure(given.rounds), given)


if __name__ == "__main__":
    sys.exit(main())
