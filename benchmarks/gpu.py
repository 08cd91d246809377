"""What the recipes reach on a GPU: rates, accuracy, time, and a network distilled from five.

    python -m benchmarks.gpu [--work build/gpu] [--minutes 8] [--device cuda] [--only rate]

Parts are kept in `--work`; the same command goes on. `distil` trains one network on the mean
probabilities of the five of `best` (Beyer et al., "Knowledge distillation: A good teacher is
patient and consistent", 2022). `--epochs N` shortens the runs, to try the script.
"""

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from benchmarks.program import Kept, official
from benchmarks.report import Row, run
from fmnist_cli.checkpoints import checkpoint
from fmnist_cli.inference.loading import load
from fmnist_cli.training.augment import Draws
from fmnist_cli.training.recipes import RECIPES, resolve
from fmnist_cli.training.results import Stopped
from fmnist_cli.training.run import Run
from fmnist_cli.training.run_data import RunData
from fmnist_cli.training.trainer import Trainer

SEEDS = range(100, 105)
BARS = (("fast", 94.0, 5.0), ("best", 96.0, 300.0), ("distil", 96.5, None))
"""Minimum accuracy in percent, maximum seconds of training."""


def measure(
    *,
    work: Path = Path("build/gpu"),
    minutes: float = 8.0,
    device: str = "cuda",
    only: str = "",
    epochs: int = 0,
) -> Iterator[Row]:
    """Measure what is missing until the time is over; yields what is known."""
    kept = Kept(work / "results.json")
    parts = [f"rate/{recipe}" for recipe in RECIPES]
    parts += [f"{recipe}/{seed}" for recipe in ("fast", "best") for seed in SEEDS] + ["distil"]
    call = Call(work, time.monotonic() + 60 * minutes, device, epochs)
    try:
        for name in parts:
            if name.startswith(only) and name not in kept.found:
                kept.keep(name, call.measure(name))
    except Stopped:
        print("not done yet: the same command goes on")
    for name, found in kept.found.items():
        if name.startswith("rate/"):
            against: dict[str, Any] = {"baseline": found["eager"], "against": "eager"}
            yield Row(f"`{name}` with --compile", found["compiled"], "images/s", **against)
    for name, accuracy, seconds in BARS:
        if runs := kept.starting(name):
            of_n: dict[str, Any] = {"n": len(runs), "statistic": "mean"}
            mean = {key: statistics.mean(run[key] for run in runs) for key in runs[0]}
            yield Row(f"`{name}`: test accuracy", mean["accuracy"], "%", at_least=accuracy, **of_n)
            yield Row(f"`{name}`: training", mean["seconds"], "s", at_most=seconds, **of_n)


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the script."""

    work: Path
    stop_at: float
    device: str
    epochs: int

    def measure(self, name: str) -> dict[str, Any]:
        """Run one part. Raises Stopped when the time is over."""
        kind, _, which = name.partition("/")
        if kind == "rate":
            words = ["--recipe", which, "--epochs", str(self.epochs or 3)]
            words += ["-o", str(self.work / "rate.pt"), "--run-dir", str(self.work / "rate")]
            return {
                way: self._train([*words, *more], None)["images_per_second"]
                for way, more in {"eager": [], "compiled": ["--compile"]}.items()
            }
        output = self.work / f"{name.replace('/', '-')}.pt"
        if kind == "distil":
            seconds = self._distil(output)
        else:
            words = ["--recipe", kind, "--seed", which, "-o", str(output)]
            words += ["--epochs", str(self.epochs)] * bool(self.epochs)
            seconds = self._train(words, output.with_suffix(""))["seconds"]
        test = official("test")
        labels = load(output, device=self.device)(test.images).argmax(1)
        return {"seconds": seconds, "accuracy": 100 * float((labels == test.labels).mean())}

    def _train(self, words: Sequence[str], run_dir: Path | None) -> dict[str, Any]:
        """Train or resume; when the time is over the state is saved."""
        common = ["--device", self.device, "--val-size", "0"]
        if run_dir is not None and (run_dir / "last.pt").is_file():
            words, common = ["--resume", str(run_dir)], []
        elif run_dir is not None:
            common += ["--run-dir", str(run_dir)]
        command = [sys.executable, "-m", "fmnist_cli", "train", "-q", "--format", "json"]
        with subprocess.Popen([*command, *words, *common], stdout=subprocess.PIPE) as process:
            try:
                stdout, _ = process.communicate(timeout=max(1, self.stop_at - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.terminate()
                raise Stopped from None
        if process.returncode:
            raise SystemExit(f"{' '.join(words)} ended with {process.returncode}")
        found: dict[str, Any] = json.loads(stdout)
        return found

    def _distil(self, output: Path) -> float:
        """Train a student of the models of `best`; returns the seconds of all its calls."""
        run_dir = output.with_suffix("")
        if (run_dir / "last.pt").is_file():
            student = Student.resume(str(run_dir), {})
        else:
            options = {"recipe": "best", "val_size": 0, "label_smoothing": 0.0}
            options |= {"device": self.device} | ({"epochs": self.epochs} if self.epochs else {})
            student = Student(resolve(options), output=output, run_dir=run_dir)
        student.should_stop = lambda: time.monotonic() > self.stop_at
        for _result in student.epochs():
            pass
        assert student.summary is not None
        return student.summary.seconds


class Student(Run):
    """A training run whose labels come from the models beside its output."""

    def build_trainer(self, options: dict[str, float], data: RunData) -> Trainer:
        """Build the trainer and put the models' answers behind its augmentations."""
        trainer = super().build_trainer(options, data)
        files = [self.output.with_name(f"best-{seed}.pt") for seed in SEEDS]
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


if __name__ == "__main__":
    run(measure)
