"""Two processes of one thread each against one process of two threads: images per second.

    python -m benchmarks.processes [--rounds 3] [--epochs 2]

`fmnist train` on the official data, in turn; the rate is the one that the program reports.
"""

import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.program import fmnist
from benchmarks.report import Row, run

MIN_RATIO = 0.9
SETUPS = {"one": ("--threads", "2"), "two": ("--nproc", "2", "--threads", "1")}


def measure(*, rounds: int = 3, epochs: int = 2) -> Iterator[Row]:
    """Take turns."""
    for recipe in ("fast", "tutorial"):
        rates: dict[str, list[float]] = {name: [] for name in SETUPS}
        for _round in range(rounds):
            for name, options in SETUPS.items():
                with tempfile.TemporaryDirectory() as folder:
                    done = fmnist(
                        *("train", "-q", "--recipe", recipe, "--epochs", str(epochs)),
                        *("--val-size", "0", *options, "--format", "json"),
                        cwd=Path(folder),
                    )
                rates[name].append(done.document["images_per_second"])
        yield Row(
            f"`fmnist train --recipe {recipe} --nproc 2 --threads 1`",
            statistics.median(rates["two"]),
            "images/s",
            n=rounds,
            baseline=statistics.median(rates["one"]),
            against="--threads 2",
            ratio_at_least=MIN_RATIO,
        )


if __name__ == "__main__":
    run(measure)
