"""fmnist itself, and the notebook that it is measured against."""

import json
from pathlib import Path
from typing import Final

from benchmarks import course
from benchmarks.peers.contestant import TRAIN_IMAGES, Contestant
from fmnist_cli.training.recipes import RECIPES

EVALUATION: Final = "fmnist evaluate model.pt --format json"


def evaluated(_folder: Path, output: str) -> float:
    """What `fmnist evaluate` found."""
    return float(json.loads(output)["accuracy"])


def last_epoch(_folder: Path, output: str) -> float:
    """What the course's loop found after its last epoch."""
    return float(json.loads(output.splitlines()[-1])["test_accuracy"])


BASELINE: Final = Contestant(
    name="baseline",
    title="fmnist, `tutorial`, 1 epoch",
    distribution="fmnist-cli",
    commands=(
        "fmnist train --recipe tutorial --val-size 0 --epochs 1 --quiet --run-dir run",
        EVALUATION,
    ),
    epochs=1,
    batch_size=256,
    read_accuracy=evaluated,
    source="README.md",
)
"""Measured again beside each contestant, so that ratios come from one run."""

CONTESTANTS: Final = (
    Contestant(
        name="fast",
        title="fmnist, `--recipe fast`",
        distribution="fmnist-cli",
        commands=("fmnist train --recipe fast --val-size 0 --quiet --run-dir run", EVALUATION),
        epochs=RECIPES["fast"].options["epochs"],
        batch_size=256,
        later_images=TRAIN_IMAGES - int(RECIPES["fast"].options["prune"] * TRAIN_IMAGES / 2),
        read_accuracy=evaluated,
        source="README.md",
    ),
    Contestant(
        name="tutorial",
        title="fmnist, `--recipe tutorial`: the course's network",
        distribution="fmnist-cli",
        commands=(
            "fmnist train --recipe tutorial --epochs 5 --val-size 0 --quiet --run-dir run",
            EVALUATION,
        ),
        epochs=5,
        batch_size=256,
        read_accuracy=evaluated,
        source="README.md",
    ),
    Contestant(
        name="notebook",
        title="the course's notebook",
        distribution="torchvision",
        commands=(f"python {course.__file__} {{files}}",),
        stdin="epoch\n" * 5,
        epochs=5,
        batch_size=course.BATCH_SIZE,
        read_accuracy=last_epoch,
        source="benchmarks/course.py",
        notebook=True,
    ),
)
