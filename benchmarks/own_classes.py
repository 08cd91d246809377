"""Photos of one's own classes: accuracy on other people's photos, and the time it takes.

    python -m benchmarks.own_classes --photos DIR [--yolo PROGRAM]

DIR holds photos as for `benchmarks.finder`, those of clothing-dataset-small, say; its directories
are the classes, hats, shorts and skirts among them. The photos of held-out senders are the test
split. PROGRAM is the `yolo` of an environment with the package ultralytics: it learns the same
photos from scratch, at 64 pixels for 20 epochs, in the same run.
"""

import csv
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from benchmarks.finder import read_photos
from benchmarks.program import fmnist, timed
from benchmarks.report import Row, run

LEAST_ACCURACY: Final = 84.0
MOST_SECONDS: Final = 120.0
MOST_PREPARING: Final = 90.0
MOST_FROM_CACHE: Final = 2.0


def measure(*, photos: Path | None = None, yolo: Path | None = None) -> Iterator[Row]:
    """Train and evaluate; then the same by yolo."""
    if photos is None:
        raise SystemExit("name the directory of the photos: --photos DIR")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        count = _link(photos, folder / "photos")
        cached = ("--data", "photos", "--data-dir", str(folder / "cache"), "--format", "json")
        preparing = _preparing(folder, *cached)
        from_cache = _preparing(folder, *cached)
        done = fmnist("train", "-q", *cached, "--weights", "pretrained", cwd=folder)
        scores = fmnist("evaluate", "model.pt", *cached, cwd=folder).document
        accuracy, seconds = 100 * scores["accuracy"], done.document["seconds"]
        yield Row(
            f"prepare {count:,} photos", preparing, "s", at_most=MOST_PREPARING, statistic="best"
        )
        yield Row("the same from the cache", from_cache, "s", at_most=MOST_FROM_CACHE)
        yield Row("train --weights pretrained", seconds, "s", at_most=MOST_SECONDS)
        baseline = None
        if yolo is not None:
            options = ["model=yolo26n-cls.yaml", "epochs=20", "imgsz=64", "project=runs"]
            learnt = timed(
                yolo, "classify", "train", f"data={folder / 'photos'}", *options, cwd=folder
            )
            baseline = _last_accuracy(folder)
            yield Row(
                "whole command",
                done.seconds + preparing,
                "s",
                baseline=learnt.seconds,
                against="yolo classify train",
                ratio_at_most=0.5,
            )
        yield Row(
            f"accuracy on {scores['n']:,} photos of other senders",
            accuracy,
            "%",
            at_least=max(LEAST_ACCURACY, baseline or 0),
            baseline=baseline,
            against="yolo classify train" if baseline else "",
        )


def _link(photos: Path, target: Path) -> int:
    """Divide the photos by sender into `train` and `test`; returns how many are to be learnt."""
    learnt = 0
    for photo in read_photos([photos]):
        split = "test" if photo.is_held_out else "train"
        learnt += split == "train"
        link = target / split / photo.folder / photo.path.name
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(photo.path.absolute())
    return learnt


def _preparing(folder: Path, *cached: str) -> float:
    """Seconds by which reading the training photos prolongs `fmnist show`."""
    started_at = time.perf_counter()
    fmnist("show", *cached, "-n", "1", cwd=folder)
    seconds = time.perf_counter() - started_at
    return seconds - fmnist("show", "--data", "sample", "--format", "json", "-n", "1").seconds


def _last_accuracy(folder: Path) -> float:
    """Top-1 accuracy on the test split after yolo's last epoch, in percent."""
    tables = sorted(folder.rglob("results.csv"), key=os.path.getmtime)
    with tables[-1].open(newline="") as file:
        rows = [{key.strip(): value for key, value in row.items()} for row in csv.DictReader(file)]
    return 100 * float(rows[-1]["metrics/accuracy_top1"])


if __name__ == "__main__":
    run(measure)
