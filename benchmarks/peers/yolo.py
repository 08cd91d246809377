"""Ultralytics: the command that its page on Fashion-MNIST gives, without the pretrained weights."""

import csv
from pathlib import Path
from typing import Final

from benchmarks.peers.contestant import Contestant

SOURCE: Final = "https://docs.ultralytics.com/datasets/classify/fashion-mnist/"
ENVIRONMENT: Final = (("YOLO_OFFLINE", "true"), ("YOLO_CONFIG_DIR", "."))
COMMAND: Final = "yolo classify train data={pngs} model=yolo26n-cls.yaml epochs=1 project=runs"


def validated(folder: Path, _output: str) -> float:
    """Top-1 accuracy on its validation split, which is `test` where there is no other."""
    (results,) = folder.rglob("results.csv")
    with results.open(encoding="utf-8", newline="") as file:
        return float(list(csv.DictReader(file))[-1]["metrics/accuracy_top1"])


CONTESTANTS: Final = (
    Contestant(
        name="yolo",
        title="`yolo classify`, 28 pixels, its batch of 16",
        distribution="ultralytics",
        requirements="ultralytics.txt",
        commands=(f"{COMMAND} imgsz=28",),
        environment=ENVIRONMENT,
        epochs=1,
        batch_size=16,
        read_accuracy=validated,
        source=SOURCE,
    ),
    Contestant(
        name="yolo-256",
        title="`yolo classify`, 28 pixels, batch 256",
        distribution="ultralytics",
        requirements="ultralytics.txt",
        commands=(f"{COMMAND} imgsz=28 batch=256",),
        environment=ENVIRONMENT,
        epochs=1,
        batch_size=256,
        read_accuracy=validated,
        source=SOURCE,
    ),
    Contestant(
        name="yolo-224",
        title="`yolo classify`, its 224 pixels",
        distribution="ultralytics",
        requirements="ultralytics.txt",
        commands=(COMMAND,),
        environment=ENVIRONMENT,
        epochs=1,
        batch_size=16,
        read_accuracy=validated,
        max_steps=80,
        source=SOURCE,
    ),
)
