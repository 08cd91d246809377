"""Each exercise of the course's homework, off and on: writes the table of docs/homework.md.

    python -m benchmarks.homework --work FOLDER [--epochs 3] [--minutes 4] [--seeds 3]

All images are official training images; the test split is not opened. Each pair of runs differs in
the exercise alone. Runs are kept in FOLDER, so that several short calls do the whole; the table is
written when none is missing.
"""

import argparse
import math
import re
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from scipy import stats

from benchmarks import machine
from benchmarks.program import Kept, fmnist, official, write_idx
from benchmarks.report import table
from fmnist_cli.constants import CLASS_NAMES

PAGE: Final = Path(__file__).parents[1] / "docs" / "homework.md"
HEADER: Final = ("exercise", "option", "off", "on", "difference", "time")
RARE: Final = CLASS_NAMES.index("Shirt")
FEW, HELD_OUT, START, KEPT_EVERY = 1_000, 5_000, 10_000, 20


class Exercise(NamedTuple):
    """An exercise as options; `data`: the folder that `write_data` makes, None for all images."""

    title: str
    options: str
    data: str | None = None
    metric: str = "accuracy"


WEIGHTS: Final = "--class-weights"
EXERCISES: Final = (
    Exercise("a learning rate that follows a cosine", "--schedule cosine"),
    Exercise("a learning rate that rises and falls", "--schedule onecycle"),
    Exercise("shirts weighted twice: recall", f"{WEIGHTS} 1,1,1,1,1,1,2,1,1,1", None, "recall"),
    Exercise("one shirt in twenty: recall", f"{WEIGHTS} balanced", "thinned", "recall"),
    Exercise("augmentation", "--augment flip,shift:1"),
    Exercise("fine-tuning with 1,000 images", "--weights start.pt --epochs 20", "few"),
    Exercise("TensorBoard", "--tensorboard"),
    Exercise("two processes", "--nproc 2"),
)


def main() -> None:
    """Do what is missing until the time is over, then write the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--work", type=Path, required=True, help="folder kept between calls")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--minutes", type=float, default=math.inf, help="start nothing after this")
    given = parser.parse_args()
    kept = Kept(given.work / f"homework-{given.epochs}-epochs.json")
    stop_at = time.monotonic() + 60 * given.minutes
    rows = []
    for exercise in EXERCISES:
        off = "--epochs 20" if exercise.data == "few" else ""
        pairs: list[list[dict[str, Any]]] = []
        for seed in range(given.seeds):
            pairs.append([])
            for options in (off, exercise.options):
                name = f"{exercise.data} {options} {seed}"
                if name not in kept.found:
                    if time.monotonic() > stop_at:
                        raise SystemExit("not done yet: the same command goes on")
                    kept.keep(name, train(exercise.data, options, seed, given.epochs))
                    print(name, kept.found[name], flush=True)
                pairs[seed].append(kept.found[name])
        rows.append(cells(exercise, pairs))
    page = PAGE.read_text(encoding="utf-8")
    for pattern, text in (
        (r"^\| exercise \| option(.+\n)+", table(HEADER, rows)),
        (r"^.+; Python .+, torch .+\n", machine.describe()),
    ):
        found = re.search(pattern, page, re.MULTILINE)
        assert found is not None
        page = f"{page[: found.start()]}{text}\n{page[found.end() :]}"
    PAGE.write_text(page, encoding="utf-8")
    print(PAGE)


def train(data: str | None, options: str, seed: int, epochs: int) -> dict[str, Any]:
    """Train and evaluate one run; `seconds` is NaN if other processes disturbed it."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        command = ["train", "-q", "--recipe", "tutorial", "--seed", str(seed), "--epochs"]
        source, split = [], ["--split", "val"]
        if data is not None:
            write_data(folder, seed)
            source, split = ["--data", data, "--val-size", "0"], []
        if "start.pt" in options:
            start = ("5", "--data", "start", "--val-size", "0", "-o", "start.pt")
            fmnist(*command, *start, cwd=folder)
        with machine.Watch() as watch:
            words = [*command, str(epochs), *source, *options.split(), "--format", "json"]
            trained = fmnist(*words, cwd=folder).document
        scores = fmnist("evaluate", "-q", *split, "--format", "json", cwd=folder).document
    return {
        "accuracy": scores["accuracy"],
        "recall": scores["report"][CLASS_NAMES[RARE]]["recall"],
        "seconds": trained["seconds"] if watch.is_quiet else math.nan,
    }


def write_data(folder: Path, seed: int) -> None:
    """Write `few`, `thinned` (few shirts) and `start`: disjoint images of the training split."""
    data = official("train")
    order = np.random.default_rng(seed).permutation(len(data))
    held_out, few, start, rest = np.split(order, np.cumsum([HELD_OUT, FEW, START]))
    rare = rest[data.labels[rest] == RARE]
    thinned = np.setdiff1d(rest, np.delete(rare, slice(None, None, KEPT_EVERY)))
    for name, positions in (("few", few), ("thinned", thinned), ("start", start)):
        write_idx(data[np.sort(positions)], folder / name)
        write_idx(data[np.sort(held_out)], folder / name, "test")


def cells(exercise: Exercise, pairs: list[list[dict[str, Any]]]) -> list[str]:
    """The line of an exercise: means, the paired difference with Student's t, median time."""
    off, on = np.array([[run[exercise.metric] for run in pair] for pair in pairs]).T
    found = 100 * (on - off)
    half = stats.t.ppf(0.975, max(len(found) - 1, 1)) * stats.sem(found)
    ratios = [slow["seconds"] / fast["seconds"] for fast, slow in pairs]
    quiet = [ratio for ratio in ratios if not math.isnan(ratio)]
    return [
        exercise.title,
        f"`{exercise.options}`",
        f"{off.mean():.2%}",
        f"{on.mean():.2%}",
        f"{found.mean():+.2f} ({found.mean() - half:+.2f} to {found.mean() + half:+.2f})",
        f"{statistics.median(quiet):.2f}× (n = {len(quiet)})" if quiet else "disturbed",
    ]


if __name__ == "__main__":
    main()
