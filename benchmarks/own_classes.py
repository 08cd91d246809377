"""Photos of one's own classes: accuracy on other people's photos, and the time it takes.

    python -m benchmarks.own_classes --photos DIR [--yolo PROGRAM]

DIR holds photos as in `benchmarks.clothing`, those of clothing-dataset-small, say; its directories
are the classes, hats, shorts and skirts among them. The photos of held-out senders are the test
split. PROGRAM is the `yolo` of an environment with the package ultralytics: it learns the same
photos from scratch, at 64 pixels for 20 epochs, in the same run.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final

import typer

from benchmarks.clothing import link, read_photos
from benchmarks.peers.measuring import yolo_accuracy
from benchmarks.program import fmnist, scratch, timed
from benchmarks.report import Row, run

MIN_ACCURACY: Final = 84.0
MAX_TRAINING: Final = 120.0
MAX_PREPARING: Final = 90.0
MAX_FROM_CACHE: Final = 2.0


def measure(photos: Annotated[Path, typer.Option()], yolo: Path | None = None) -> Iterator[Row]:
    """Train and evaluate; then the same by yolo."""
    with scratch() as folder:
        found = read_photos([photos])
        known = [photo for photo in found if not photo.is_held_out]
        link(known, folder / "photos" / "train")
        link([photo for photo in found if photo.is_held_out], folder / "photos" / "test")
        cached = ("--data", "photos", "--data-dir", str(folder / "cache"), "--format", "json")
        preparing, from_cache = (_preparing(folder, *cached) for _ in range(2))
        done = fmnist("train", "-q", *cached, "--weights", "pretrained", cwd=folder)
        scores = fmnist("evaluate", "model.pt", *cached, cwd=folder).document
        training, accuracy = done.document["seconds"], 100 * scores["accuracy"]
        yield Row(f"prepare {len(known):,} photos", preparing, "s", bars={"≤": MAX_PREPARING})
        yield Row("the same from the cache", from_cache, "s", bars={"≤": MAX_FROM_CACHE})
        yield Row("train --weights pretrained", training, "s", bars={"≤": MAX_TRAINING})
        what = f"accuracy on {scores['n']:,} photos of other senders"
        if yolo is None:
            yield Row(what, accuracy, "%", bars={"≥": MIN_ACCURACY})
            return
        options = ["model=yolo26n-cls.yaml", "epochs=20", "imgsz=64", "project=runs"]
        data = f"data={folder / 'photos'}"
        learned = timed(yolo, "classify", "train", data, *options, cwd=folder)
        baseline = ("yolo classify train", learned.seconds)
        seconds = done.seconds + preparing
        yield Row("whole command", seconds, "s", baseline=baseline, bars={"ratio ≤": 0.5})
        baseline = ("yolo classify train", 100 * yolo_accuracy(folder))
        bars = {"≥": max(MIN_ACCURACY, baseline[1])}
        yield Row(what, accuracy, "%", baseline=baseline, bars=bars)


def _preparing(folder: Path, *cached: str) -> float:
    """Seconds by which reading the training photos prolongs `fmnist show`."""
    seconds = fmnist("show", *cached, "-n", "1", cwd=folder).seconds
    return seconds - fmnist("show", "--data", "sample", "--format", "json", "-n", "1").seconds


if __name__ == "__main__":
    run(measure)
