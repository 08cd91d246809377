"""What the recipes reach on a GPU: rates, accuracy, time, and a network distilled from five.

    python -m benchmarks.gpu [--work build/gpu] [--minutes 8] [--device cuda] [--only rate]

Parts are kept in `--work`; the same command goes on. `distil` trains one network on the mean
probabilities of the five of `best` (Beyer et al., "Knowledge distillation: A good teacher is
patient and consistent", 2022). `--epochs N` shortens the runs, to try the script.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from benchmarks.program import Kept, official
from benchmarks.report import Row, run
from fmnist_cli.checkpoints import checkpoint
from fmnist_cli.inference.loading import load
from fmnist_cli.training.augment import Draws
from fmnist_cli.training.recipes import RECIPES, configure
from fmnist_cli.training.results import Stopped
from fmnist_cli.training.run import Run
from fmnist_cli.training.run_data import RunData
from fmnist_cli.training.trainer import Trainer

SEEDS = range(100, 105)
BARS = (("fast", 94.0, 5.0), ("best", 96.0, 300.0), ("distil", 96.5, None))
"""Minimum accuracy in percent, maximum seconds of training."""


def measure(
    work: Path = Path("build/gpu"),
    minutes: float = 8.0,
    device: str = "cuda",
    only: str = "",
    epochs: int = 0,
) -> Iterator[Row]:
    """Measure what is missing until the time is over; yields what is known."""
    kept = Kept(work / "results.json")
    stop_at = time.monotonic() + 60 * minutes
    ask = partial(_ask, stop_at, device)
    shorter = ["--epochs", str(epochs)] * bool(epochs)
    parts = [f"rate/{recipe}" for recipe in RECIPES]
    parts += [f"{recipe}/{seed}" for recipe in ("fast", "best") for seed in SEEDS]
    try:
        for name in parts:
            if name.startswith(only) and name not in kept.found:
                kept.keep(name, _measure(ask, work / name, shorter))
        if "distil".startswith(only) and "distil" not in kept.found:
            kept.keep("distil", _distil(work, stop_at, device, epochs))
    except (subprocess.TimeoutExpired, Stopped):
        print("not done yet: the same command goes on")
    for name, found in kept.found.items():
        if name.startswith("rate/"):
            what, baseline = f"`{name}` with --compile", ("eager", found["eager"])
            yield Row(what, found["compiled"], "images/s", baseline=baseline)
    for name, min_accuracy, max_seconds in BARS:
        if runs := [found for part, found in kept.found.items() if part.startswith(name)]:
            for what, key, unit, bars in (
                ("test accuracy", "accuracy", "%", {"≥": min_accuracy}),
                ("training", "seconds", "s", {"≤": max_seconds}),
            ):
                figures = [run[key] for run in runs]
                yield Row(f"`{name}`: {what}", figures, unit, "mean", bars=bars)


def _measure(ask: Callable[..., Any], run_dir: Path, epochs: list[str]) -> dict[str, float]:
    """Measure the part that the run directory is named after."""
    kind, which = run_dir.parts[-2:]
    model = f"{run_dir}.pt"
    words = ("train", "-q", "--val-size", "0", "-o", model, "--run-dir", str(run_dir))
    if kind == "rate":
        rate = partial(ask, *words, "--recipe", which, *(epochs or ["--epochs", "3"]))
        ways = {"eager": rate(), "compiled": rate("--compile")}
        return {way: done["images_per_second"] for way, done in ways.items()}
    if (run_dir / "last.pt").is_file():
        done = ask("train", "-q", "--resume", str(run_dir))
    else:
        done = ask(*words, "--recipe", kind, "--seed", which, *epochs)
    return {"seconds": done["seconds"], "accuracy": _accuracy(model)}


def _accuracy(model: str | Path) -> float:
    """Percent of the test images; not by `fmnist evaluate`, which needs scikit-learn."""
    test = official("test")
    return 100 * float((load(model)(test.images).argmax(1) == test.labels).mean())


def _distil(work: Path, stop_at: float, device: str, epochs: int) -> dict[str, float]:
    """Train a student of the models of `best`. Raises Stopped, with its state saved, in time."""
    output, run_dir = work / "distil.pt", work / "distil"
    if (run_dir / "last.pt").is_file():
        student = Student.resume(str(run_dir), {})
    else:
        options: dict[str, Any] = {"recipe": "best", "val_size": 0, "label_smoothing": 0.0}
        options |= {"device": device} | ({"epochs": epochs} if epochs else {})
        student = Student(configure(**options), output=output, run_dir=run_dir)
    student.should_stop = lambda: time.monotonic() > stop_at
    for _result in student.epochs():
        pass
    assert student.summary is not None
    return {"seconds": student.summary.seconds, "accuracy": _accuracy(output)}


class Student(Run):
    """A training run whose labels come from the models of `best` beside its output."""

    def build_trainer(self, data: RunData) -> Trainer:
        """Build the trainer and put the models' answers behind its augmentations."""
        trainer = super().build_trainer(data)
        files = [self.output.parent / "best" / f"{seed}.pt" for seed in SEEDS]
        loaded = [checkpoint.load(file) for file in files]
        networks = [(one.model.to(self.device), one.metadata.normalization) for one in loaded]

        @torch.no_grad()
        def answer(images: Tensor, labels: Tensor, draws: Draws) -> tuple[Tensor, Tensor]:
            del labels, draws
            with torch.autocast(images.device.type, torch.bfloat16):
                logits = [network((images - norm.mean) / norm.std) for network, norm in networks]
            return images, torch.stack(logits).float().softmax(-1).mean(0)

        trainer.batches.augmentations = (*trainer.batches.augmentations, answer)
        return trainer


def _ask(stop_at: float, device: str, *words: str) -> dict[str, Any]:
    """Run a command of the program; a training that is stopped saves its state."""
    command = [sys.executable, "-m", "fmnist_cli", *words, "--format", "json"]
    command += ["--device", device] * ("--resume" not in words)
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            stdout, _ = process.communicate(timeout=max(1, stop_at - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.terminate()
            raise
    if process.returncode:
        raise SystemExit(f"{' '.join(words)} ended with {process.returncode}")
    document: dict[str, Any] = json.loads(stdout)
    return document


if __name__ == "__main__":
    run(measure)
