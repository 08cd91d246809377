"""Two processes of one thread each against one process of two threads: images per second.

    python -m benchmarks.processes [--rounds 3] [--epochs 2]

`fmnist train` on the official data, in turn; the rate is the one that the program reports.
"""

from collections.abc import Iterator
from functools import partial

from benchmarks.program import ask, scratch, take_turns
from benchmarks.report import Row, run

MIN_RATIO = 0.9


def measure(rounds: int = 3, epochs: int = 2) -> Iterator[Row]:
    """Take turns."""
    for recipe in ("fast", "tutorial"):
        words = ("--recipe", recipe, "--epochs", str(epochs), "--threads")
        one, two = partial(_rate, *words, "2"), partial(_rate, *words, "1", "--nproc", "2")
        rates = take_turns(rounds, {"one": one, "two": two})
        yield Row(
            f"`fmnist train --recipe {recipe} --nproc 2 --threads 1`",
            rates["two"],
            "images/s",
            baseline=("--threads 2", rates["one"]),
            bars={"ratio ≥": MIN_RATIO},
        )


def _rate(*options: str) -> float:
    with scratch() as folder:
        done = ask("train", "-q", "--val-size", "0", *options, cwd=folder)
        return float(done["images_per_second"])


if __name__ == "__main__":
    run(measure)
