"""What augmentation costs of a training step of the `default` recipe.

    python -m benchmarks.augmentation [--rounds 30]

Steps with and without the recipe's augmentation, and with each augmentation alone, in turn on one
train_step.
"""

import statistics
import sys
import time
from collections.abc import Iterator
from itertools import count

from benchmarks.harness.rows import Row, parser, report
from fmnist_cli.__main__ import prepare_environment

prepare_environment()

import torch  # noqa: E402 - reads the environment when it is loaded

from fmnist_cli import models  # noqa: E402
from fmnist_cli.data import synthetic  # noqa: E402
from fmnist_cli.training import device  # noqa: E402
from fmnist_cli.training.augment import AUGMENTATIONS, parse  # noqa: E402
from fmnist_cli.training.batches import Batch, Batches  # noqa: E402
from fmnist_cli.training.memory import keep_freed_memory  # noqa: E402
from fmnist_cli.training.processes import Process  # noqa: E402
from fmnist_cli.training.recipes import resolve  # noqa: E402
from fmnist_cli.training.step import TrainStep  # noqa: E402

CPU = torch.device("cpu")


def measure(rounds: int) -> Iterator[Row]:
    """Time the steps; yields a row an augmentation."""
    keep_freed_memory()
    device.set_threads(None)
    config = resolve({"recipe": "default"})
    model = models.build(config.model)
    train_step = TrainStep(
        config,
        model,
        device=CPU,
        process=Process(),
        class_weights=None,
        total_steps=1_000_000,
        steps_per_epoch=1_000,
    )
    train_step.train_mode()
    data = synthetic.draw(20_000, "train")
    names = ["none", config.augment, *AUGMENTATIONS]
    streams: dict[str, Iterator[Batch]] = {
        name: endless(
            Batches(
                data,
                batch_size=config.batch_size,
                seed=0,
                normalization=models.network(config.model).normalization,
                augmentations=parse(name),
                device=CPU,
            )
        )
        for name in names
    }
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for round_number in range(rounds + 3):
        for name, stream in streams.items():
            started_at = time.perf_counter()
            batch = next(stream)
            train_step.step(batch.images, batch.labels, 0)
            if round_number >= 3:  # the first ones allocate
                seconds[name].append(time.perf_counter() - started_at)
    plain = 1e3 * statistics.median(seconds["none"])
    for name in names[1:]:
        yield Row(
            what=f"a step with `--augment {name}`",
            ours=1e3 * statistics.median(seconds[name]),
            unit="ms",
            n=rounds,
            baseline=plain,
            against="without",
        )


def endless(batches: Batches) -> Iterator[Batch]:
    """Batches without end."""
    for epoch in count():
        yield from batches.epoch(epoch)


def main() -> int:
    """Print the rows; returns the exit code."""
    options = parser(__doc__)
    options.add_argument("--rounds", type=int, default=30)
    given = options.parse_args()
    return report(measure(given.rounds), given)


if __name__ == "__main__":
    sys.exit(main())
