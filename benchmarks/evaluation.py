"""Evaluation of the 10,000 test images with the course's network, against the course's loop.

    python -m benchmarks.evaluation [--rounds 5]

Takes turns on the same cores: the course's evaluation loop, fmnist's classifier of a `.pt` and of
its `.onnx`. Each counts the correct predictions on the test split, from images in memory.
"""

from collections.abc import Callable, Iterator
from functools import partial
from timeit import timeit

from benchmarks.program import course, official, scratch, take_turns, write_models
from benchmarks.report import Row, run
from fmnist_cli.__main__ import prepare_environment
from fmnist_cli.data.images import LabeledImages
from fmnist_cli.inference.classifier import Classifier
from fmnist_cli.inference.loading import load

MIN_RATIO = 4.0


def measure(rounds: int = 5) -> Iterator[Row]:
    """Take turns."""
    test = official("test")
    with scratch() as folder, course() as seconds_of_course:
        prepare_environment()  # before torch reads it
        figures: dict[str, Callable[[], float]] = {"course": lambda: seconds_of_course("evaluate")}
        for path in write_models("tutorial", folder):
            count = partial(_count_correct, load(path, device="cpu"), test)
            figures[path.suffix] = partial(timeit, count, number=1)
        seconds = take_turns(rounds, figures, warm_up=1)
    rates = {name: [len(test) / each for each in taken] for name, taken in seconds.items()}
    for suffix in (".pt", ".onnx"):
        yield Row(
            f"evaluation by `{suffix}`",
            rates[suffix],
            "images/s",
            baseline=("the course's loop", rates["course"]),
            bars={"ratio ≥": MIN_RATIO},
        )


def _count_correct(classify: Classifier, data: LabeledImages) -> int:
    return int((classify(data.images).argmax(1) == data.labels).sum())


if __name__ == "__main__":
    run(measure)
