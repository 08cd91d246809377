"""Make a contestant's environment, run its commands and time them from outside."""

import json
import os
import subprocess
import sys
import sysconfig
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from benchmarks.peers.contestants import TRAIN_IMAGES, Contestant

_HERE: Final = Path(__file__).parent
_UNSET: Final = ("VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME")


@dataclass(frozen=True, slots=True)
class Places:
    """Where a command's words point."""

    pngs: str = "PICTURES"
    """Folder of PNG files: train/CLASS/*.png and test/CLASS/*.png."""
    torchvision: str = "DATA"
    """Folder that torchvision's FashionMNIST reads."""
    files: str = "FILES"
    """Folder of the four official files."""

    def typed(self, contestant: Contestant) -> list[list[str]]:
        """A contestant's commands as words."""
        names = {"pngs": self.pngs, "torchvision": self.torchvision, "files": self.files}
        commands = contestant.commands
        return [[word.format(**names) for word in command.split()] for command in commands]


@dataclass(frozen=True, slots=True)
class Measurement:
    """Time and accuracy of a contestant."""

    seconds: float
    """From the first command's start to the last one's end: training and evaluation."""
    start_seconds: float
    """From the start to the end of the first backward pass."""
    images_per_second: float
    """Of training alone."""
    accuracy: float | None
    """On the official test split, after the last epoch; None if it was stopped before."""
    steps: int


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


def run_python(programs: Path, *arguments: str | Path) -> str:
    """Run the Python of an environment; returns its stdout."""
    command = [programs / "python", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def measure(contestant: Contestant, programs: Path, places: Places) -> Measurement:
    """Run its commands in an empty folder, with `programs` first on the path.

    Raises SystemExit with its stderr if a command fails.
    """
    with TemporaryDirectory() as scratch:
        folder = Path(scratch)
        steps_file = folder / "steps.json"
        variables = {name: text for name, text in os.environ.items() if name not in _UNSET}
        variables["PATH"] = f"{programs}{os.pathsep}{variables['PATH']}"
        variables["PYTHONPATH"] = str(_HERE / "observer")
        variables |= dict(contestant.environment)
        output = ""
        started_at = time.monotonic()
        for number, words in enumerate(places.typed(contestant)):
            watched = {"PEERS_STEPS": str(steps_file)} if number == 0 else {}
            if contestant.max_steps is not None:
                watched["PEERS_MAX_STEPS"] = str(contestant.max_steps)
            done = subprocess.run(
                [str(programs / words[0]), *words[1:]],
                cwd=folder,
                env=variables | watched,
                input=contestant.stdin,
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode:
                raise SystemExit(f"{' '.join(words)}\n{done.stderr[-2000:]}")
            output = done.stdout
        ended_at = time.monotonic()
        steps: list[float] = json.loads(steps_file.read_text(encoding="utf-8"))
        return Measurement(
            seconds=ended_at - started_at,
            start_seconds=steps[0] - started_at,
            images_per_second=rate(steps, contestant),
            accuracy=None if contestant.max_steps else contestant.read_accuracy(folder, output),
            steps=len(steps),
        )


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
