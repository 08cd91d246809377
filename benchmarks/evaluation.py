"""Judging the 10,000 test images with the course's network: images a second, against its loop.

    python -m benchmarks.evaluation [--rounds 5]

Turn by turn on the same cores: the course's evaluation loop, our classifier of a `.pt` and of its
`.onnx`. Each counts the right answers over the whole test split, from images in memory.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.baseline import Course
from benchmarks.harness.rows import Row, parser, report
from fmnist_cli.__main__ import prepare_environment

prepare_environment()

from benchmarks.fresh import write_both  # noqa: E402 - torch reads the environment
from fmnist_cli.data.sources import open_source  # noqa: E402
from fmnist_cli.inference.classifier import load  # noqa: E402

LEAST_RATIO = 4.0


def measure(rounds: int) -> Iterator[Row]:
    """Take turns; yields a row a backend."""
    test = open_source().read("test")
    with tempfile.TemporaryDirectory() as folder, Course() as course:
        ours = [load(path, device="cpu") for path in write_both("tutorial", Path(folder))]
        seconds: dict[str, list[float]] = {"course": [], "torch": [], "onnx": []}
        for number in range(rounds + 1):
            found = {"course": course.do("evaluate").seconds}
            for classifier in ours:
                started_at = time.perf_counter()
                int((classifier(test.images).argmax(1) == test.labels).sum())
                found[classifier.backend] = time.perf_counter() - started_at
            if number:  # the first round warms up
                for name, taken in found.items():
                    seconds[name].append(taken)
    rates = {name: len(test) / statistics.median(taken) for name, taken in seconds.items()}
    for backend, suffix in (("torch", ".pt"), ("onnx", ".onnx")):
        yield Row(
            what=f"evaluation by `{suffix}`",
            ours=rates[backend],
            unit="images/s",
            n=rounds,
            baseline=rates["course"],
            against="the course's loop",
            ratio_at_least=LEAST_RATIO,
        )


def main() -> int:
    """Print the rows; returns the exit code."""
    options = parser(__doc__)
    options.add_argument("--rounds", type=int, default=5)
    given = options.parse_args()
    return report(measure(given.rounds), given)


if __name__ == "__main__":
    sys.exit(main())
