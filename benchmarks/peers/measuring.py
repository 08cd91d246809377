"""Make a contestant's environment, run its commands and time them from outside."""

import json
import os
import re
import subprocess
import sys
import sysconfig
import time
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd

from benchmarks.program import scratch, timed

ROOT: Final = Path(__file__).parents[2]
TRAIN_IMAGES: Final = 60_000
_HERE: Final = Path(__file__).parent
_UNSET: Final = ("VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME")


@dataclass(frozen=True, slots=True, kw_only=True)
class Contestant:
    """One row of the comparison, as contestants.toml describes it."""

    title: str
    commands: list[str]
    epochs: int
    rounds: int = 1
    """Times that it is run."""
    batch_size: int = 256
    distribution: str = "fmnist-cli"
    """Name of the installed distribution."""
    accuracy: str = r'"accuracy": ([\d.]+)'
    """A pattern whose last match in the last command's output it is, or `results.csv` of yolo."""
    source: str = "README.md"
    later_images: int = TRAIN_IMAGES
    """Images of each epoch but the first."""
    max_steps: int | None = None
    """Steps after which a slow one is stopped, without an accuracy."""
    requirements: str | None = None
    """A file of `requirements/`, its pinned environment; None: the current one."""
    program: str | None = None
    """What its user writes, unless commands suffice."""
    stdin: str = ""

    @property
    def written(self) -> str:
        """What its user writes, for the table."""
        if self.program is None:
            return f"{len(self.commands)} command{'s' if len(self.commands) > 1 else ''}"
        if self.distribution == "torchvision":
            return "a notebook"
        source = (ROOT / self.program).read_text(encoding="utf-8")
        body = re.sub(r'^""".*?"""', "", source, count=1, flags=re.DOTALL)
        lines = [line.strip() for line in body.splitlines()]
        return f"{sum(bool(line) and not line.startswith('#') for line in lines)} lines"


def contestants() -> dict[str, Contestant]:
    """All of contestants.toml; `baseline` is measured again beside each of the others."""
    text = (_HERE / "contestants.toml").read_text(encoding="utf-8")
    return {name: Contestant(**entries) for name, entries in tomllib.loads(text).items()}


def environment(folder: Path, contestant: Contestant) -> Path:
    """Make the contestant's virtual environment if it is missing; returns its `bin`.

    The packages of the current environment, torch among them, are visible in it after its own.
    """
    if contestant.requirements is None:
        return Path(sys.executable).parent
    requirements = _HERE / "requirements" / contestant.requirements
    home = folder / requirements.stem
    ready, pinned = home / "ready", requirements.read_text(encoding="utf-8")
    if not ready.exists() or ready.read_text(encoding="utf-8") != pinned:
        subprocess.run([sys.executable, "-m", "venv", "--clear", home], check=True)
        packages = next((home / "lib").glob("python*")) / "site-packages"
        (packages / "shared.pth").write_text(f"{sysconfig.get_paths()['purelib']}\n", "utf-8")
        install = [str(home / "bin" / "pip"), "install", "--quiet", "--no-deps"]
        subprocess.run([*install, "--requirement", requirements], check=True)
        ready.write_text(pinned, encoding="utf-8")
    return home / "bin"


def measure(contestant: Contestant, programs: Path, places: dict[str, str]) -> dict[str, Any]:
    """Run its commands in an empty folder, with `programs` first on the path.

    Returns `seconds` (training and evaluation, start-up included), `start_seconds` (to the end of
    the first backward pass), `images_per_second` (training alone), `accuracy` (None if it was
    stopped) and `steps`. Raises SystemExit with its stderr if a command fails.
    """
    with scratch() as folder:
        steps_file = folder / "steps.json"
        env = {name: text for name, text in os.environ.items() if name not in _UNSET}
        env["PATH"] = f"{programs}{os.pathsep}{env['PATH']}"
        env |= {"PYTHONPATH": str(_HERE / "observer"), "PEERS_STEPS": str(steps_file)}
        env |= {"YOLO_OFFLINE": "true", "YOLO_CONFIG_DIR": "."}
        if contestant.max_steps is not None:
            env["PEERS_MAX_STEPS"] = str(contestant.max_steps)
        seconds, started_at = 0.0, time.monotonic()
        for command in contestant.commands:
            program, *words = re.sub(
                "|".join(places), lambda name: places[name[0]], command
            ).split()
            done = timed(programs / program, *words, cwd=folder, env=env, stdin=contestant.stdin)
            seconds += done.seconds
            env.pop("PEERS_STEPS", None)  # the first command trains
        steps: list[float] = json.loads(steps_file.read_text(encoding="utf-8"))
        accuracy = None
        if contestant.accuracy == "results.csv" and not contestant.max_steps:
            accuracy = yolo_accuracy(folder)
        elif not contestant.max_steps:
            accuracy = float(re.findall(contestant.accuracy, done.stdout)[-1])
        return {
            "seconds": seconds,
            "start_seconds": steps[0] - started_at,
            "images_per_second": rate(steps, contestant),
            "accuracy": accuracy,
            "steps": len(steps),
        }


def yolo_accuracy(folder: Path) -> float:
    """Accuracy after the last epoch of the one run of `yolo classify train` in a folder.

    Yolo evaluates on `test` if there is no other validation split.
    """
    (results,) = folder.rglob("results.csv")
    table = pd.read_csv(results, skipinitialspace=True)
    return float(table["metrics/accuracy_top1"].iloc[-1])


def rate(steps: list[float], contestant: Contestant) -> float:
    """Images per second between the first and the last step of an epoch, over all epochs.

    steps: time at which each step's backward pass ended, in seconds. Raises ValueError if they do
    not divide into epochs.
    """
    size = contestant.batch_size
    epochs = [TRAIN_IMAGES, *[contestant.later_images] * (contestant.epochs - 1)]
    if contestant.max_steps is not None:
        epochs = [contestant.max_steps * size]
    whole = sum(images // size for images in epochs)
    # A tool may drop the last, smaller batch of an epoch or keep it.
    lengths = [images // size + (len(steps) > whole and images % size > 0) for images in epochs]
    if sum(lengths) != len(steps):
        raise ValueError(f"{len(steps)} steps do not make {len(epochs)} epochs")
    seen, seconds, start = 0, 0.0, 0
    for images, length in zip(epochs, lengths, strict=True):
        seen += min(images, length * size) - size
        seconds += steps[start + length - 1] - steps[start]
        start += length
    return seen / seconds
