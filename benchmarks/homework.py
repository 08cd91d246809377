"""The course's homework, answered by experiments: writes the tables of docs/homework.md.

    python -m benchmarks.homework --work FOLDER [--only NAME…]

Each experiment is a `fmnist train` with five seeds; it is compared with the runs without its option
by `fmnist runs --group`. When no run is missing, all models are evaluated once on the test split.
Everything is kept in FOLDER: the same command goes on where the last one stopped. Two of them with
different names after `--only` may share a machine.
"""

import argparse
import csv
import re
import statistics
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from benchmarks import machine
from benchmarks.program import Kept, fmnist, official, write_idx
from benchmarks.report import table
from fmnist_cli.constants import CLASS_NAMES
from fmnist_cli.data.sources import open_source
from fmnist_cli.runs.groups import Estimate

DOCS: Final = Path(__file__).parents[1] / "docs"
PAGES: Final = {"en": DOCS / "homework.md", "zh": DOCS / "homework.zh-CN.md"}
SEEDS: Final = range(5)
HELD_OUT: Final = 500
"""Validation images of each class beside few training images."""
SHIRT: Final = CLASS_NAMES.index("Shirt")
KEPT_EVERY: Final = 20
"""One shirt in so many stays in the data with few shirts."""


class Experiment(NamedTuple):
    """Options of `fmnist train`, and the experiment that lacks the last of them."""

    name: str
    options: str
    without: str | None = None
    title: str = ""
    title_zh: str = ""
    metric: str = "accuracy"
    """`accuracy`, or `recall` of shirts."""
    is_judged_on_test: bool = False
    """Where validation images cannot tell: the weights have seen them, or few are shirts."""


_FEW: Final = "--recipe tutorial --threads 1 --val-size 5000 --data"
_TUNED: Final = "--recipe finetune --model convnet --threads 1 --val-size 5000 --data"
_SHIRTS_TWICE: Final = "--class-weights 1,1,1,1,1,1,2,1,1,1"
SECTIONS: Final = {
    "training": (
        Experiment("off", "--recipe tutorial --threads 1"),
        Experiment("cosine", "--schedule cosine", "off", "cosine schedule", "余弦学习率"),
        Experiment("step", "--schedule step", "off", "step schedule", "阶梯学习率"),
        Experiment("onecycle", "--schedule onecycle", "off", "one-cycle schedule", "one-cycle"),
        Experiment(
            "augment-light", "--augment flip,shift:1", "off", "light augmentation", "轻度数据增强"
        ),
        Experiment(
            "augment-strong",
            "--augment flip,shift:2,erase:0.5",
            "off",
            "strong augmentation",
            "强数据增强",
        ),
        Experiment("smoothing", "--label-smoothing 0.1", "off", "label smoothing", "标签平滑"),
        Experiment("ema", "--ema 0.999", "off", "averaged weights", "权重滑动平均"),
        Experiment("class-weights", _SHIRTS_TWICE, "off", "Shirt weighted 2×", "衬衫权重加倍"),
        Experiment("fp32", "--precision fp32", "off", "fp32 rather than bf16", "fp32 代替 bf16"),
        Experiment("two-processes", "--nproc 2", "off", "two processes", "两个进程"),
    ),
    "shirts": (
        Experiment("thinned", f"{_FEW} thinned"),
        Experiment(
            "balanced",
            "--class-weights balanced",
            "thinned",
            "one shirt in twenty: recall of Shirt",
            "衬衫只留二十分之一：Shirt 的召回率",
            "recall",
            is_judged_on_test=True,
        ),
    ),
    "few": (
        Experiment("few-100", f"{_FEW} few-100"),
        Experiment(
            "few-100-sample",
            "--weights sample.pt",
            "few-100",
            "100 per class, starting from weights trained on other images",
            "每类 100 张，从用其他图片训练的权重开始",
        ),
        Experiment("few-1000", f"{_FEW} few-1000"),
        Experiment(
            "few-1000-sample",
            "--weights sample.pt",
            "few-1000",
            "1,000 per class, starting from weights trained on other images",
            "每类 1,000 张，从用其他图片训练的权重开始",
        ),
    ),
    "pretrained": (
        Experiment("scratch-100", f"{_TUNED} few-100"),
        Experiment(
            "pretrained-100",
            "--weights pretrained",
            "scratch-100",
            "100 per class, starting from the packaged model",
            "每类 100 张，从自带模型开始",
            is_judged_on_test=True,
        ),
        Experiment("scratch-1000", f"{_TUNED} few-1000"),
        Experiment(
            "pretrained-1000",
            "--weights pretrained",
            "scratch-1000",
            "1,000 per class, starting from the packaged model",
            "每类 1,000 张，从自带模型开始",
            is_judged_on_test=True,
        ),
    ),
}
EXPERIMENTS: Final = {one.name: one for section in SECTIONS.values() for one in section}
HEADERS: Final = {
    "en": ("exercise", "option", "off", "on", "difference", "test split", "time"),
    "zh": ("作业", "选项", "不加", "加上", "差（百分点）", "测试集上的差", "用时"),
}


def main() -> None:
    """Train what is missing; when nothing is, evaluate and write the pages."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--work", type=Path, required=True, help="folder kept between calls")
    parser.add_argument("--only", nargs="+", choices=EXPERIMENTS, help="train these alone")
    given = parser.parse_args()
    prepare(given.work)
    for name in given.only or EXPERIMENTS:
        train(EXPERIMENTS[name], given.work)
    if given.only:
        return
    scores = evaluate(given.work)
    for language, page in PAGES.items():
        text = page.read_text(encoding="utf-8")
        for section, experiments in SECTIONS.items():
            rows = [row(one, scores, given.work, language) for one in experiments if one.without]
            text = _fill(text, section, table(HEADERS[language], rows))
        page.write_text(_fill(text, "machine", machine.describe()), encoding="utf-8")
    shown = [f"runs/{name}" for name in ("off", "cosine", "augment-light", "augment-strong")]
    picture = DOCS / "pictures" / "homework.svg"
    fmnist("runs", *shown, "--group", "--curves", picture.absolute(), cwd=given.work)


def prepare(work: Path) -> None:
    """Write `few-100`, `few-1000` and `thinned`, and train `sample.pt` on other images."""
    if (work / "sample.pt").exists():
        return
    data, sample = official("train"), open_source("sample").read("train")
    taken = {image.tobytes() for image in sample.images}
    order = np.random.default_rng(0).permutation(len(data))
    order = np.array([place for place in order if data.images[place].tobytes() not in taken])
    for name, count, shirts in (
        ("few-100", 100 + HELD_OUT, 100 + HELD_OUT),
        ("few-1000", 1_000 + HELD_OUT, 1_000 + HELD_OUT),
        ("thinned", 1_000 + HELD_OUT, (1_000 + HELD_OUT) // KEPT_EVERY),
    ):
        parts = [
            order[data.labels[order] == label][: shirts if label == SHIRT else count]
            for label in range(len(CLASS_NAMES))
        ]
        write_idx(data[np.sort(np.concatenate(parts))], work / name)
    words = ("train", "-q", "--recipe", "tutorial", "--threads", "1", "--data", "sample")
    fmnist(*words, "-o", "sample.pt", cwd=work)


def options(experiment: Experiment) -> list[str]:
    """All options of an experiment, its own last."""
    above = [] if experiment.without is None else options(EXPERIMENTS[experiment.without])
    return [*above, *experiment.options.split()]


def train(experiment: Experiment, work: Path) -> None:
    """Train the seeds that are missing; a run that was stopped goes on."""
    for seed in SEEDS:
        run = f"runs/{experiment.name}/seed{seed}"
        words = [*options(experiment), "--seed", str(seed), "--run-dir", run]
        if (work / run).exists():
            (found,) = fmnist("runs", "-q", work / run, "--format", "json").document["runs"]
            if found["state"] == "finished":
                continue
            words = ["--resume", run]
        print(experiment.name, seed, flush=True)
        model = f"models/{experiment.name}-seed{seed}.pt"
        fmnist("train", "-q", *words, "--output", model, cwd=work)


def evaluate(work: Path) -> Kept:
    """Accuracy and recall of shirts of every final model on the test split, in percent."""
    scores = Kept(work / "test.json")
    for name in EXPERIMENTS:
        for seed in SEEDS:
            model = f"{name}-seed{seed}"
            if model not in scores.found:
                words = ("evaluate", "-q", f"models/{model}.pt", "--data", "fashion-mnist")
                report = fmnist(*words, "--format", "json", cwd=work).document["report"]
                recall = report[CLASS_NAMES[SHIRT]]["recall"]
                scores.keep(model, {"accuracy": 100 * report["accuracy"], "recall": 100 * recall})
    return scores


def row(experiment: Experiment, scores: Kept, work: Path, language: str) -> list[str]:
    """The line of an experiment: means, paired differences, ratio of the times of an epoch."""
    names = (str(experiment.without), experiment.name)
    folders = [work / "runs" / name for name in names]
    groups = [
        fmnist("runs", "-q", folder, "--group", "--format", "json").document["groups"][0]
        for folder in folders
    ]
    # Sorted by seed, runs stay in the order of the directories.
    words = ("runs", "-q", *map(str, folders), "--group", "--sort", "seed", "--format", "json")
    compared = fmnist(*words).document
    off, on = (f"{group['val_accuracy']:.2%}" for group in groups)
    difference = compared["difference"]
    low, high = difference["val_accuracy_ci95"]
    judged = _points(100 * difference["val_accuracy"], 100 * low, 100 * high)
    tests = [
        [scores.found[f"{name}-seed{seed}"][experiment.metric] for seed in SEEDS] for name in names
    ]
    estimate = Estimate.of([second - first for first, second in zip(*tests, strict=True)])
    assert estimate.mean is not None
    assert estimate.ci95 is not None
    on_test = _points(estimate.mean, *estimate.ci95)
    if experiment.is_judged_on_test:
        off, on = (f"{statistics.fmean(values):.2f}%" for values in tests)
        judged = ""
    fast, slow = (_best_rate(folder) for folder in folders)
    title = experiment.title if language == "en" else experiment.title_zh
    option = f"`{experiment.options}`"
    return [title, option, off, on, judged, on_test, f"{fast / slow:.2f}×"]


def _points(mean: float, low: float, high: float) -> str:
    return f"{mean:+.2f} ({low:+.2f}, {high:+.2f})"


def _best_rate(folder: Path) -> float:
    """Images a second in the fastest epoch of all seeds, which other processes disturbed least."""
    rates = []
    for file in folder.glob("seed*/history.csv"):
        with file.open(encoding="utf-8", newline="") as lines:
            rates += [float(line["images_per_second"]) for line in csv.DictReader(lines)]
    return max(rates)


def _fill(page: str, name: str, text: str) -> str:
    """Replace what stands between `<!-- NAME -->` and `<!-- end -->`."""
    pattern = rf"(<!-- {name} -->\n).*?(<!-- end -->)"
    filled, count = re.subn(
        pattern, lambda found: f"{found[1]}\n{text}\n\n{found[2]}", page, flags=re.DOTALL
    )
    assert count == 1, f"the page has {count} places for {name}"
    return filled


if __name__ == "__main__":
    main()
