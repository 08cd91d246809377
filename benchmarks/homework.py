"""The course's homework, off and on: writes docs/homework.md.

    python -m benchmarks.homework --work FOLDER [--epochs 3] [--minutes 4] [--again]

Exercises that change training are evaluated on images of the official training split that were held
out; the test split is not opened. Three seeds, each pair alike but for the exercise. Runs are kept
in FOLDER, so that several short calls do the whole; the page is written when none is missing.
"""

import argparse
import json
import math
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
from scipy import stats

from benchmarks import machine
from benchmarks.program import Kept, fmnist, official, write_idx, write_pngs
from benchmarks.report import table
from fmnist_cli.devices import usable_cores

PAGE: Final = Path(__file__).parents[1] / "docs" / "homework.md"
TEMPLATE: Final = Path(__file__).with_suffix(".md")
SEEDS: Final = (0, 1, 2)
RARE_CLASS: Final = "Shirt"
FEW, HELD_OUT, FEW_EPOCHS = 1_000, 5_000, 20
ROUNDS: Final = 3
Run: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Exercise:
    """An exercise that changes training, as additional options."""

    name: str
    title: str
    options: str
    few: bool = False
    """Whether it is tried with few images, on runs of their own."""


OFF: Final = (Exercise("off", "", ""), Exercise("off-few", "", "", few=True))
EXERCISES: Final = (
    Exercise("cosine", "a learning rate that falls along a cosine", "--schedule cosine"),
    Exercise("onecycle", "a learning rate that rises and falls", "--schedule onecycle"),
    Exercise("weights", "shirts count twice", "--class-weights 1,1,1,1,1,1,2,1,1,1"),
    Exercise("augmentation", "augmentation", "--augment flip,shift:1"),
    Exercise("fine-tuning", "fine-tuning", "--weights start.pt", few=True),
    Exercise("tensorboard", "TensorBoard", "--tensorboard"),
    Exercise("processes", "two processes", "--nproc 2"),
)


def main() -> None:
    """Do what is missing until the time is over, then write the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--work", type=Path, required=True, help="folder kept between calls")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--minutes", type=float, default=math.inf, help="start nothing after this")
    parser.add_argument("--again", action="store_true", help="repeat disturbed runs")
    parser.add_argument("--page", type=Path, default=PAGE)
    options = parser.parse_args()
    kept = Kept(options.work / f"homework-{options.epochs}-epochs.json")
    stop_at = time.monotonic() + 60 * options.minutes
    wanted = {
        f"{exercise.name}/{seed}": partial(train, exercise, seed, options.epochs)
        for seed in SEEDS
        for exercise in (*OFF, *EXERCISES)
    }
    wanted["use"] = partial(use)
    for name, measure in wanted.items():
        found = kept.found.get(name)
        if found is None or (options.again and found["seconds"] is None):
            if time.monotonic() > stop_at:
                raise SystemExit("not done yet: the same command goes on")
            kept.keep(name, measure())
            print(name, kept.found[name], flush=True)
    options.page.write_text(render(kept, options.epochs), encoding="utf-8")
    print(options.page)


def train(exercise: Exercise, seed: int, epochs: int) -> Run:
    """Train and evaluate one run; `seconds` is None if other processes disturbed it."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        command = ["train", "-q", "--recipe", "tutorial", "--seed", str(seed)]
        data = ["--epochs", str(epochs)]
        split = ["--split", "val"]
        if exercise.few:
            write_few(folder, seed)
            data = ["--data", "few", "--epochs", str(FEW_EPOCHS), "--val-size", "0"]
            split = []  # the folder's test split: images of the official training split
            if exercise.options:
                start = ("--data", "start", "--epochs", "5", "--val-size", "0", "-o", "start.pt")
                fmnist(*command, *start, cwd=folder)
        with machine.Watch() as watch:
            words = [*command, *data, *exercise.options.split(), "--format", "json"]
            trained = fmnist(*words, cwd=folder).document
        scores = fmnist("evaluate", "-q", *split, "--format", "json", cwd=folder).document
    return {
        "accuracy": scores["accuracy"],
        "rare_recall": scores["report"][RARE_CLASS]["recall"],
        "seconds": trained["seconds"] if watch.is_quiet else None,
    }


def write_few(folder: Path, seed: int) -> None:
    """Write `few` (1,000 training and 5,000 test images) and `start` (10,000 others).

    All are official training images, drawn by `seed`.
    """
    data = official("train")
    order = np.random.default_rng(seed).permutation(len(data))
    write_idx(data[np.sort(order[:FEW])], folder / "few")
    write_idx(data[np.sort(order[FEW : FEW + HELD_OUT])], folder / "few", "test")
    write_idx(data[np.sort(order[FEW + HELD_OUT :][:10_000])], folder / "start")


def use() -> Run:
    """Train a small model once and use it in every way: median seconds, accuracies, sizes."""
    commands = {
        "export": ("export-onnx", "-q", "model.pt"),
        "report": ("evaluate", "-q", "model.pt"),
        "predict": ("predict", "-q", "model.pt", "pictures"),
        "onnx": ("predict", "-q", "model.onnx", "pictures"),
    }
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        write_few(folder, 0)
        write_pngs(official("test").images[:HELD_OUT], folder / "pictures")
        data = ("--data", "few", "--epochs", str(FEW_EPOCHS), "--val-size", "0")
        fmnist("train", "-q", "--recipe", "tutorial", *data, cwd=folder)
        with machine.Watch() as watch:
            rounds = [
                {name: fmnist(*command, cwd=folder) for name, command in commands.items()}
                for _ in range(ROUNDS)
            ]
        if not watch.is_quiet:
            raise SystemExit(f"other processes used {watch.taken:.0%} of the cores; try again")
        labels = [
            [json.loads(line)["label"] for line in rounds[0][name].stdout.splitlines()]
            for name in ("predict", "onnx")
        ]
        test = ("evaluate", "-q", "model.pt", "--format", "json")
        return {
            "seconds": {n: statistics.median(each[n].seconds for each in rounds) for n in commands},
            "same": sum(a == b for a, b in zip(*labels, strict=True)),
            "accuracy": fmnist(*test, cwd=folder).document["accuracy"],
            "megabytes": [(folder / n).stat().st_size / 1e6 for n in ("model.pt", "model.onnx")],
        }


def render(kept: Kept, epochs: int) -> str:
    """The page, if every run is there."""
    weighted = next(each for each in EXERCISES if each.name == "weights")
    recalls = _pairs(kept, weighted, "rare_recall")
    used = kept.found["use"]
    return TEMPLATE.read_text(encoding="utf-8").format(
        where=f"{machine.describe()}; {datetime.now(UTC).date().isoformat()}.",
        epochs=epochs,
        n=len(SEEDS),
        training=table(
            ("exercise", "option", "off", "on", "difference", "time"),
            (_cells(kept, exercise) for exercise in EXERCISES),
        ),
        few=f"{FEW:,}",
        few_epochs=FEW_EPOCHS,
        held_out=f"{HELD_OUT:,}",
        rare=RARE_CLASS,
        rare_off=f"{recalls[:, 0].mean():.1%}",
        rare_on=f"{recalls[:, 1].mean():.1%}",
        rare_difference=_difference(recalls),
        cores=usable_cores(),
        rounds=ROUNDS,
        accuracy=f"{used['accuracy']:.2%}",
        megabytes=" MB become ".join(f"{size:.2f}" for size in used["megabytes"]),
        same=f"{used['same']:,}",
        rate=f"{HELD_OUT / used['seconds']['predict']:,.0f}",
        **{f"{name}_seconds": f"{taken:.1f}" for name, taken in used["seconds"].items()},
    )


def _pairs(kept: Kept, exercise: Exercise, key: str) -> "np.ndarray[Any, np.dtype[np.float64]]":
    """A figure without and with the exercise, [seeds, 2]; NaN if disturbed."""
    names = (OFF[exercise.few].name, exercise.name)
    rows = [[kept.found[f"{name}/{seed}"][key] for name in names] for seed in SEEDS]
    return np.array(rows, dtype=float)


def _cells(kept: Kept, exercise: Exercise) -> Sequence[str]:
    accuracies = _pairs(kept, exercise, "accuracy")
    seconds = _pairs(kept, exercise, "seconds")
    ratios = [on / off for off, on in seconds if not math.isnan(on + off)]
    return [
        exercise.title,
        f"`{exercise.options}`",
        *(f"{mean:.2%}" for mean in accuracies.mean(axis=0)),
        _difference(accuracies),
        f"{statistics.median(ratios):.2f}× (n = {len(ratios)})" if ratios else "disturbed",
    ]


def _difference(pairs: "np.ndarray[Any, np.dtype[np.float64]]") -> str:
    """Mean paired difference of shares in points with its 95% interval (Student's t)."""
    found = 100 * (pairs[:, 1] - pairs[:, 0])
    half = stats.t.ppf(0.975, len(found) - 1) * stats.sem(found)
    return f"{found.mean():+.2f} ({found.mean() - half:+.2f} to {found.mean() + half:+.2f})"


if __name__ == "__main__":
    main()
