"""What the recipes reach on a GPU: rates, accuracy and time.

    python -m benchmarks.gpu [--work build/gpu] [--minutes 8] [--device cuda] [--only rate]

Parts are kept in `--work`; the same command goes on. `--epochs N` shortens the runs, to try the
script.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.program import Kept, official
from benchmarks.report import Row, run
from fmnist_cli.inference.loading import load
from fmnist_cli.training.recipes import RECIPES

SEEDS = range(100, 105)
BARS = (("fast", 94.0, 5.0), ("best", 96.0, 300.0))
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
    ask = partial(_ask, time.monotonic() + 60 * minutes, device)
    shorter = ["--epochs", str(epochs)] * bool(epochs)
    parts = [f"rate/{recipe}" for recipe in RECIPES]
    parts += [f"{recipe}/{seed}" for recipe, *_ in BARS for seed in SEEDS]
    try:
        for name in parts:
            if name.startswith(only) and name not in kept.found:
                kept.keep(name, _measure(ask, work / name, shorter))
    except subprocess.TimeoutExpired:
        print("not done yet: the same command goes on")
    for name, found in kept.found.items():
        if name.startswith("rate/"):
            what, baseline = f"`{name}` with --compile", found["eager"]
            yield Row(what, found["compiled"], "images/s", baseline=baseline, against="eager")
    for name, min_accuracy, max_seconds in BARS:
        if runs := [kept.found[part] for part in kept.found if part.startswith(f"{name}/")]:
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
    test = official("test")  # not by `fmnist evaluate`, which needs scikit-learn
    is_right = load(model)(test.images).argmax(1) == test.labels
    return {"seconds": done["seconds"], "accuracy": 100 * float(is_right.mean())}


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
