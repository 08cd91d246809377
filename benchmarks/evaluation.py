"""Evaluation of the 10,000 test images with the course's network, against the course's loop.

    python -m benchmarks.evaluation [--rounds 5]

Takes turns on the same cores: the course's evaluation loop, fmnist's classifier of a `.pt` and of
its `.onnx`. Each counts the correct predictions on the test split, from images in memory.
"""

import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.baseline import Course
from benchmarks.report import Row, run
from fmnist_cli.__main__ import prepare_environment

prepare_environment()

from benchmarks.program import official, write_models  # noqa: E402 - torch reads the environment
from fmnist_cli.inference.loading import load  # noqa: E402

MIN_RATIO = 4.0


def measure(*, rounds: int = 5) -> Iterator[Row]:
    """Take turns."""
    test = official("test")
    with tempfile.TemporaryDirectory() as folder, Course() as course:
        classifiers = [load(path, device="cpu") for path in write_models("tutorial", Path(folder))]
        seconds: dict[str, list[float]] = {"course": [], "torch": [], "onnx": []}
        for _round in range(rounds + 1):
            seconds["course"].append(course.seconds("evaluate"))
            for classifier in classifiers:
                started_at = time.perf_counter()
                int((classifier(test.images).argmax(1) == test.labels).sum())
                seconds[classifier.backend].append(time.perf_counter() - started_at)
    # The first round warms up.
    rates = {name: len(test) / statistics.median(taken[1:]) for name, taken in seconds.items()}
    for backend, suffix in (("torch", ".pt"), ("onnx", ".onnx")):
        yield Row(
            f"evaluation by `{suffix}`",
            rates[backend],
            "images/s",
            n=rounds,
            baseline=rates["course"],
            against="the course's loop",
            ratio_at_least=MIN_RATIO,
        )


if __name__ == "__main__":
    run(measure)
