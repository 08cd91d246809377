"""The course's homework, answered by experiments: writes the figures of docs/homework.md.

    python -m benchmarks.homework --work FOLDER [--only NAME]

Each experiment is a `fmnist train` with five seeds; `fmnist runs --group` compares it with the runs
without its option. If no run is missing, all models are evaluated once on the test split.
Everything is kept in FOLDER: the same command goes on where the last one stopped. Two of them with
different names after `--only` may share a machine.
"""

import statistics
from functools import partial
from pathlib import Path
from typing import Annotated, Final, NamedTuple

import numpy as np
import pandas as pd
import typer

from benchmarks import machine
from benchmarks.program import Kept, ask, fmnist, official, write_idx
from benchmarks.report import edit_part
from fmnist_cli.constants import CLASS_NAMES
from fmnist_cli.data.sources import open_source
from fmnist_cli.runs.groups import Estimate

DOCS: Final = Path(__file__).parents[1] / "docs"
SEEDS: Final = range(5)
HELD_OUT: Final = 500
"""Validation images of each class beside few training images."""
SHIRT: Final = CLASS_NAMES.index("Shirt")
KEPT_EVERY: Final = 20
"""One shirt in this number stays in `thinned`."""


class Experiment(NamedTuple):
    """A row of a table: runs with an option of `fmnist train`, and runs without it."""

    section: str
    off: str
    on: str
    option: str


_TUTORIAL: Final = "--recipe tutorial --threads 1"
_FEW: Final = f"{_TUTORIAL} --val-size 5000 --data"
_TUNED: Final = "--recipe finetune --model convnet --threads 1 --val-size 5000 --data"
BASELINES: Final = {
    "off": _TUTORIAL,
    "thinned": f"{_FEW} thinned",
    "few-100": f"{_FEW} few-100",
    "few-1000": f"{_FEW} few-1000",
    "scratch-100": f"{_TUNED} few-100",
    "scratch-1000": f"{_TUNED} few-1000",
}
EXPERIMENTS: Final = (
    Experiment("training", "off", "cosine", "--schedule cosine"),
    Experiment("training", "off", "step", "--schedule step"),
    Experiment("training", "off", "onecycle", "--schedule onecycle"),
    Experiment("training", "off", "augment-light", "--augment flip,shift:1"),
    Experiment("training", "off", "augment-strong", "--augment flip,shift:2,erase:0.5"),
    Experiment("training", "off", "smoothing", "--label-smoothing 0.1"),
    Experiment("training", "off", "ema", "--ema 0.999"),
    Experiment("training", "off", "class-weights", "--class-weights 1,1,1,1,1,1,2,1,1,1"),
    Experiment("training", "off", "fp32", "--precision fp32"),
    Experiment("training", "off", "two-processes", "--nproc 2"),
    Experiment("shirts", "thinned", "balanced", "--class-weights balanced"),
    Experiment("few", "few-100", "few-100-sample", "--weights sample.pt"),
    Experiment("few", "few-1000", "few-1000-sample", "--weights sample.pt"),
    Experiment("pretrained", "scratch-100", "pretrained-100", "--weights pretrained"),
    Experiment("pretrained", "scratch-1000", "pretrained-1000", "--weights pretrained"),
)
RUNS: Final = BASELINES | {one.on: f"{BASELINES[one.off]} {one.option}" for one in EXPERIMENTS}
"""Options by name."""
RECALL_OF_SHIRTS: Final = ("shirts",)
"""Sections whose metric is not accuracy."""
ON_TEST_ONLY: Final = ("shirts", "pretrained")
"""Sections whose validation images are no test: few are shirts, or the weights have seen them."""


def main(work: Annotated[Path, typer.Option()], only: str = "") -> None:
    """Train what is missing; if nothing is, evaluate and write the pages."""
    prepare(work)
    for name in [only] if only else RUNS:
        train(name, work)
    if only:
        return
    scores = evaluate(work)
    cells = {one.on: figures(one, scores, work) for one in EXPERIMENTS}
    for page in (DOCS / "homework.md", DOCS / "homework.zh-CN.md"):
        text = edit_part(page.read_text(encoding="utf-8"), "machine", lambda _: machine.describe())
        for section in {one.section: None for one in EXPERIMENTS}:
            rows = [cells[one.on] for one in EXPERIMENTS if one.section == section]
            text = edit_part(text, section, partial(fill, rows))
        page.write_text(text, encoding="utf-8")
    shown = [f"runs/{name}" for name in ("off", "cosine", "augment-light", "augment-strong")]
    picture = DOCS / "pictures" / "homework.svg"
    fmnist("runs", *shown, "--group", "--curves", picture.absolute(), cwd=work)


def prepare(work: Path) -> None:
    """Write `few-100`, `few-1000` and `thinned`, and train `sample.pt` on other images."""
    if (work / "sample.pt").exists():
        return
    data, sample = official("train"), open_source("sample").read("train")
    taken = {image.tobytes() for image in sample.images}
    order = np.random.default_rng(0).permutation(len(data))
    order = np.array([place for place in order if data.images[place].tobytes() not in taken])
    for name, count in (("few-100", 100), ("few-1000", 1_000), ("thinned", 1_000)):
        counts = [count + HELD_OUT] * len(CLASS_NAMES)
        if name == "thinned":
            counts[SHIRT] //= KEPT_EVERY
        parts = [order[data.labels[order] == label][:n] for label, n in enumerate(counts)]
        write_idx(data[np.sort(np.concatenate(parts))], work / name)
    words = ("train", "-q", *_TUTORIAL.split(), "--data", "sample")
    fmnist(*words, "-o", "sample.pt", cwd=work)


def train(name: str, work: Path) -> None:
    """Train the seeds that are missing; a run that was stopped goes on."""
    print(name, flush=True)
    begun = sorted((work / "runs" / name).glob("seed*"))
    words = ["--seeds", f"{SEEDS[0]}-{SEEDS[-1]}", "--run-dir", f"runs/{name}"]
    words += ["--output", f"models/{name}.pt", *RUNS[name].split()]
    if begun:
        words = ["--resume", str(begun[-1].relative_to(work))]
    fmnist("train", "-q", *words, cwd=work)


def evaluate(work: Path) -> Kept:
    """Accuracy and recall of shirts of every final model on the test split, in percent."""
    scores = Kept(work / "test.json")
    for model in [f"{name}-seed{seed}" for name in RUNS for seed in SEEDS]:
        if model not in scores.found:
            words = ("evaluate", "-q", f"models/{model}.pt", "--data", "fashion-mnist")
            report = ask(*words, cwd=work)["report"]
            recall = report[CLASS_NAMES[SHIRT]]["recall"]
            scores.keep(model, {"accuracy": 100 * report["accuracy"], "recall": 100 * recall})
    return scores


def figures(experiment: Experiment, scores: Kept, work: Path) -> list[str]:
    """The figures of a row: means, paired differences, ratio of the times of an epoch."""
    names = (experiment.off, experiment.on)
    folders = [work / "runs" / name for name in names]
    # Sorted by seed, runs stay in the order of the directories.
    compared = ask("runs", "-q", *folders, "--group", "--sort", "seed")
    metric = "recall" if experiment.section in RECALL_OF_SHIRTS else "accuracy"
    tests = [[scores.found[f"{name}-seed{seed}"][metric] for seed in SEEDS] for name in names]
    estimate = Estimate.of([on - off for off, on in zip(*tests, strict=True)])
    assert estimate.mean is not None
    assert estimate.ci95 is not None
    if experiment.section in ON_TEST_ONLY:
        off, on = (f"{statistics.fmean(values):.2f}%" for values in tests)
        on_validation = ""
    else:
        off, on = (f"{group['val_accuracy']:.2%}" for group in compared["groups"])
        difference = compared["difference"]
        points = (difference["val_accuracy"], *difference["val_accuracy_ci95"])
        on_validation = _points(*(100 * each for each in points))
    # The fastest epoch of all seeds: other processes disturbed it least.
    fast, slow = (
        max(pd.read_csv(file)["images_per_second"].max() for file in folder.glob("*/history.csv"))
        for folder in folders
    )
    on_test = _points(estimate.mean, *estimate.ci95)
    return [off, on, on_validation, on_test, f"{fast / slow:.2f}×"]


def fill(rows: list[list[str]], table: str) -> str:
    """The table with other figures; its first two columns are written by hand."""
    header, rule, *lines = table.splitlines()
    filled = [
        " | ".join([*line.split(" | ")[:2], *figures]) + " |"
        for line, figures in zip(lines, rows, strict=True)
    ]
    return "\n".join([header, rule, *filled])


def _points(mean: float, low: float, high: float) -> str:
    return f"{mean:+.2f} ({low:+.2f}, {high:+.2f})"


if __name__ == "__main__":
    typer.run(main)
