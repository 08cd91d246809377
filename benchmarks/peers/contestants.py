"""What each tool is asked to do: its commands, its environment and where its accuracy is."""

import csv
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.baseline import SCRIPT as COURSE
from fmnist_cli.training.recipes import RECIPES

TRAIN_IMAGES: Final = 60_000
PROGRAMS: Final = Path(__file__).with_name("programs")
_YOLO_SOURCE: Final = "https://docs.ultralytics.com/datasets/classify/fashion-mnist/"
_YOLO: Final = "yolo classify train data={pngs} model=yolo26n-cls.yaml epochs=1 project=runs"
_TRAIN: Final = "fmnist train --val-size 0 --quiet --run-dir run --recipe"
_EVALUATE: Final = "fmnist evaluate model.pt --format json"


def last_number(_folder: Path, output: str) -> float:
    """The accuracy as the last word of a program's output."""
    return float(output.split()[-1])


def evaluated(_folder: Path, output: str) -> float:
    """The accuracy in the JSON of `fmnist evaluate`."""
    return float(json.loads(output)["accuracy"])


def last_epoch(_folder: Path, output: str) -> float:
    """The accuracy of the last epoch of the course's loop."""
    return float(json.loads(output.splitlines()[-1])["test_accuracy"])


def validated(folder: Path, _output: str) -> float:
    """Yolo's top-1 accuracy on its validation split, which is `test` if there is no other."""
    (results,) = folder.rglob("results.csv")
    with results.open(encoding="utf-8", newline="") as file:
        return float(list(csv.DictReader(file))[-1]["metrics/accuracy_top1"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Contestant:
    """One row of the comparison."""

    title: str
    """Its cell in the table."""
    distribution: str = "fmnist-cli"
    """Name of the installed distribution."""
    commands: tuple[str, ...]
    """What is typed, in order; `{name}` stands for a path (see `measuring.Places`)."""
    epochs: int
    batch_size: int = 256
    read_accuracy: Callable[[Path, str], float] = evaluated
    """From the working folder and the last command's output, on the test split."""
    source: str = "README.md"
    """Address of the documentation that its commands follow."""
    later_images: int = TRAIN_IMAGES
    """Images of each epoch but the first."""
    max_steps: int | None = None
    """Steps after which a slow one is stopped, without an accuracy."""
    requirements: str | None = None
    """A file of `requirements/`, its pinned environment; None: the current one."""
    program: Path | None = None
    """What its user writes, if commands alone do not do."""
    stdin: str = ""
    environment: tuple[tuple[str, str], ...] = ()

    @property
    def written(self) -> str:
        """What its user writes, for the table."""
        if self.program == COURSE:
            return "a notebook"
        if self.program is not None:
            return f"{count_code(self.program.read_text(encoding='utf-8'))} lines"
        return f"{len(self.commands)} command{'s' if len(self.commands) > 1 else ''}"


def count_code(source: str) -> int:
    """Lines of a Python source without blank lines, comments and the module's docstring."""
    body = re.sub(r'^""".*?"""', "", source, count=1, flags=re.DOTALL)
    lines = (line.strip() for line in body.splitlines())
    return sum(bool(line) and not line.startswith("#") for line in lines)


def _library(
    tool: str, title: str, program: str, place: str, source: str, epochs: int, batch: int
) -> Contestant:
    return Contestant(
        title=title,
        distribution=tool,
        requirements=f"{tool}.txt",
        program=PROGRAMS / program,
        commands=(f"python {PROGRAMS / program} {{{place}}} {epochs}",),
        epochs=epochs,
        batch_size=batch,
        read_accuracy=last_number,
        source=source,
    )


def _yolo(title: str, options: str, batch: int, max_steps: int | None = None) -> Contestant:
    return Contestant(
        title=f"`yolo classify`, {title}",
        distribution="ultralytics",
        requirements="ultralytics.txt",
        commands=(f"{_YOLO} {options}".strip(),),
        environment=(("YOLO_OFFLINE", "true"), ("YOLO_CONFIG_DIR", ".")),
        epochs=1,
        batch_size=batch,
        read_accuracy=validated,
        max_steps=max_steps,
        source=_YOLO_SOURCE,
    )


_FAST: Final = RECIPES["fast"].options
BASELINE: Final = Contestant(
    title="fmnist, `tutorial`, 1 epoch",
    commands=(f"{_TRAIN} tutorial --epochs 1", _EVALUATE),
    epochs=1,
)
"""Measured again beside each contestant, so that ratios come from one run."""
CONTESTANTS: Final = {
    "fast": Contestant(
        title="fmnist, `--recipe fast`",
        commands=(f"{_TRAIN} fast", _EVALUATE),
        epochs=int(_FAST["epochs"]),
        later_images=TRAIN_IMAGES - int(_FAST["prune"] * TRAIN_IMAGES / 2),
    ),
    "tutorial": Contestant(
        title="fmnist, `--recipe tutorial`: the course's network",
        commands=(f"{_TRAIN} tutorial --epochs 5", _EVALUATE),
        epochs=5,
    ),
    "notebook": Contestant(
        title="the course's notebook",
        distribution="torchvision",
        commands=(f"python {COURSE} {{files}}",),
        program=COURSE,
        stdin="epoch\n" * 5,
        epochs=5,
        read_accuracy=last_epoch,
        source="benchmarks/course.py",
    ),
    "lightning": _library(
        "lightning",
        "Lightning, the course's network",
        "lightning_course.py",
        "torchvision",
        "https://lightning.ai/docs/pytorch/stable/starter/introduction.html",
        epochs=5,
        batch=256,
    ),
    "timm": _library(
        "timm",
        "timm, resnet18, 28 pixels",
        "timm_resnet18.py",
        "torchvision",
        "https://huggingface.co/docs/timm/training_script",
        epochs=1,
        batch=128,
    ),
    "fastai": _library(
        "fastai",
        "fastai, resnet18, 28 pixels",
        "fastai_resnet18.py",
        "pngs",
        "https://docs.fast.ai/tutorial.vision.html",
        epochs=1,
        batch=256,
    ),
    "yolo": _yolo("28 pixels, its batch of 16", "imgsz=28", 16),
    "yolo-256": _yolo("28 pixels, batch 256", "imgsz=28 batch=256", 256),
    "yolo-224": _yolo("its 224 pixels", "", 16, max_steps=80),
}
