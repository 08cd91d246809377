"""The exercises that change training, and the runs that tell what they do."""

import json
import math
import statistics
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self, TypeAlias

import numpy as np
from scipy import stats

from benchmarks.harness.kept import Kept
from benchmarks.program import fmnist, official_training_split, write_idx
from benchmarks.quiet import Watch
from fmnist_cli.constants import FILES

Pair: TypeAlias = tuple[float, float]
"""Without the exercise, with it."""

SEEDS: Final = (0, 1, 2)
RARE_CLASS: Final = "Shirt"
FEW, HELD_OUT = 1_000, 5_000
FEW_EPOCHS: Final = 20


@dataclass(frozen=True, slots=True)
class Exercise:
    """An exercise that changes training, as options beside those of the run without it."""

    name: str
    title: str
    options: str
    few_images: bool = False
    """Whether it is tried where images are few, on runs of their own."""


@dataclass(frozen=True, slots=True)
class Run:
    """One training run, judged on images it was not trained on."""

    accuracy: float
    rare_recall: float
    seconds: float | None
    """Of training, start-up left out; None where other processes disturbed it."""


OFF: Final = Exercise("off", "without any", "")
OFF_FEW: Final = Exercise("off-few", "without any, few images", "", few_images=True)
EXERCISES: Final = (
    Exercise("cosine", "a rate that falls along a cosine", "--schedule cosine"),
    Exercise("onecycle", "a rate that rises and falls", "--schedule onecycle"),
    Exercise("weights", "shirts count twice", "--class-weights 1,1,1,1,1,1,2,1,1,1"),
    Exercise("augmentation", "augmentation", "--augment flip,shift:1"),
    Exercise("fine-tuning", "fine-tuning", "--weights drawn.pt", few_images=True),
    Exercise("tensorboard", "TensorBoard", "--tensorboard"),
    Exercise("processes", "two processes", "--nproc 2"),
)


@dataclass(frozen=True, slots=True)
class Difference:
    """Mean of paired differences with its 95% interval."""

    mean: float
    low: float
    high: float

    @classmethod
    def of(cls, pairs: Sequence[Pair]) -> Self:
        """Second of each pair less its first, by Student's t. Raises ValueError for one pair."""
        if len(pairs) < 2:
            raise ValueError("an interval needs two pairs")
        found = [on - off for off, on in pairs]
        mean = statistics.mean(found)
        half = stats.t.ppf(0.975, len(found) - 1) * statistics.stdev(found)
        half /= math.sqrt(len(found))
        return cls(mean, mean - half, mean + half)


def find(kept: Kept, exercise: Exercise, seed: int) -> Run | None:
    """The run of an exercise with a seed, if it is done."""
    figures = kept.found.get(name(exercise, seed))
    return None if figures is None else Run(**figures)


def name(exercise: Exercise, seed: int) -> str:
    """What a run is kept under."""
    return f"{exercise.name}/{seed}"


def train(exercise: Exercise, seed: int, epochs: int) -> dict[str, Any]:
    """Train and judge one run; gives the fields of `Run`."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        options = ["--recipe", "tutorial", "--seed", str(seed), *exercise.options.split()]
        judged = ["--split", "val"]
        if exercise.few_images:
            write_few(folder / "few", seed)
            options += ["--data", "few", "--epochs", str(FEW_EPOCHS), "--val-size", "0"]
            judged = []  # the folder's test split: images of the official training split
            if exercise.options:
                draw(folder)
        else:
            options += ["--epochs", str(epochs)]
        with Watch() as watch:
            trained = fmnist("train", "--quiet", "--format", "json", *options, cwd=folder)
        found = fmnist("evaluate", "model.pt", *judged, "--format", "json", cwd=folder)
        scores = json.loads(found)
        return {
            "accuracy": scores["accuracy"],
            "rare_recall": scores["report"][RARE_CLASS]["recall"],
            "seconds": json.loads(trained)["seconds"] if watch.is_quiet else None,
        }


def write_few(folder: Path, seed: int) -> None:
    """Make a data folder whose splits both come from the official training split.

    Its training split holds 1,000 images and its test split 5,000 others, both drawn from `seed`.
    """
    data = official_training_split()
    order = np.random.default_rng(seed).permutation(len(data))
    write_idx(data[np.sort(order[FEW : FEW + HELD_OUT])], folder)
    for held_out, train_file in zip(FILES["test"], FILES["train"], strict=True):
        (folder / train_file.name).rename(folder / held_out.name)
    write_idx(data[np.sort(order[:FEW])], folder)


def draw(folder: Path) -> None:
    """Train the model on drawings that fine-tuning starts from."""
    drawn = ("--data", "synthetic", "--epochs", "5", "--val-size", "0")
    fmnist("train", "--quiet", "--recipe", "tutorial", *drawn, "-o", "drawn.pt", cwd=folder)


def pairs(kept: Kept, exercise: Exercise, figure: Callable[[Run], float]) -> list[Pair]:
    """A figure without and with the exercise, for each seed."""
    return [(figure(off), figure(on)) for off, on in _both(kept, exercise)]


def time_ratios(kept: Kept, exercise: Exercise) -> list[float]:
    """Time with the exercise over time without, for each seed whose two runs were not disturbed."""
    return [
        on.seconds / off.seconds
        for off, on in _both(kept, exercise)
        if on.seconds is not None and off.seconds is not None
    ]


def _both(kept: Kept, exercise: Exercise) -> Iterator[tuple[Run, Run]]:
    baseline = OFF_FEW if exercise.few_images else OFF
    for seed in SEEDS:
        off, on = find(kept, baseline, seed), find(kept, exercise, seed)
        assert off is not None
        assert on is not None
        yield off, on
