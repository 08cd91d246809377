"""Ten times the data: images per second and memory of `fmnist train`.

    python -m benchmarks.growth [--times 10]

One epoch of `fast` on the official training split, and on the same images several times over;
rates and peaks are those of the whole command.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.program import Finished, fmnist, official, scratch, write_idx
from benchmarks.report import Row, run

MIN_RATIO = 0.95
MAX_MEMORY_RATIO = 1.3
BYTES_PER_IMAGE = 28 * 28 + 8
"""uint8 pixels and an int64 label."""


def measure(times: int = 10) -> Iterator[Row]:
    """Train on both."""
    train = official("train")
    with scratch() as folder:
        write_idx(train, folder / "once")
        write_idx(train[np.tile(np.arange(len(train)), times)], folder / "many")
        once, many = (_train(folder, name) for name in ("once", "many"))
        yield Row(
            f"peak memory of `fmnist train`, {len(train):,} to {times * len(train):,} images",
            many.megabytes - once.megabytes,
            "MB",
            baseline=("the additional data", (times - 1) * len(train) * BYTES_PER_IMAGE / 1e6),
            bars={"ratio ≤": MAX_MEMORY_RATIO},
        )
        yield Row(
            f"training rate of `fast` on {times * len(train):,} images",
            many.document["images_per_second"],
            "images/s",
            baseline=(f"on {len(train):,}", once.document["images_per_second"]),
            bars={"ratio ≥": MIN_RATIO},
        )


def _train(folder: Path, data: str) -> Finished:
    command = ("train", "-q", "--recipe", "fast", "--epochs", "1", "--val-size", "0")
    return fmnist(*command, "--prune", "0", "--data", data, "--format", "json", cwd=folder)


if __name__ == "__main__":
    run(measure)
