"""An epoch of the `tutorial` recipe against the course's own loop, in turn.

    python -m benchmarks.tutorial_epoch [--rounds 7]

Both train on 60,000 images and evaluate 10,000 per epoch. `fmnist train` gets all 70,000 images and
holds out 10,000; its time is that of the second epoch in `history.csv`.
"""

import csv
import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.baseline import Course
from benchmarks.program import fmnist, official, write_idx
from benchmarks.report import Row, run
from fmnist_cli.data.images import LabeledImages
from fmnist_cli.runs.groups import Estimate

MIN_RATIO = 3.5
IMAGES, HELD_OUT = 60_000, 10_000


def measure(*, rounds: int = 7) -> Iterator[Row]:
    """Run both loops in turn."""
    train, test = official("train"), official("test")
    everything = LabeledImages(
        np.concatenate([train.images, test.images]), np.concatenate([train.labels, test.labels])
    )
    course_seconds, our_seconds = [], []
    with tempfile.TemporaryDirectory() as scratch, Course() as course:
        folder = Path(scratch)
        write_idx(everything, folder / "all")
        command = ("train", "-q", "--recipe", "tutorial", "--data", "all", "--run-dir", "run")
        for number in range(rounds):
            course_seconds.append(course.seconds("epoch"))
            fmnist(*command, "--epochs", "2", "--val-size", str(HELD_OUT), cwd=folder)
            with (folder / "run" / "history.csv").open(encoding="utf-8") as file:
                our_seconds.append(float(list(csv.DictReader(file))[1]["seconds"]))
            print(f"course {course_seconds[number]:.2f} s, fmnist {our_seconds[number]:.2f} s")
    ratios = [theirs / ours for theirs, ours in zip(course_seconds, our_seconds, strict=True)]
    ci95 = Estimate.of(ratios).ci95
    interval = "unknown" if ci95 is None else "{:.2f} to {:.2f}".format(*ci95)
    yield Row(
        "an epoch of the course's network, training and evaluation; 95% interval of the mean "
        f"ratio of {rounds} rounds {interval}",
        IMAGES / statistics.median(our_seconds),
        "images/s",
        n=rounds,
        baseline=IMAGES / statistics.median(course_seconds),
        against="the course's loop",
        ratio_at_least=MIN_RATIO,
    )


if __name__ == "__main__":
    run(measure)
