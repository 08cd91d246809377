"""Run `fmnist` and other commands, and prepare what they read."""

import gzip
import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from fmnist_cli.constants import FILES, IMAGE_SIZE
from fmnist_cli.data.images import Images, LabeledImages
from fmnist_cli.data.sources import open_source

PROGRAM: Final = Path(sys.executable).with_name("fmnist")
MEGABYTE: Final = 1e6

_METER: Final = """
import json, os, sys, time
target, *command = sys.argv[1:]
started_at = time.perf_counter()
pid = os.posix_spawnp(command[0], command, os.environ)
_, status, usage = os.wait4(pid, 0)
seconds = time.perf_counter() - started_at
unit = 1 if sys.platform == "darwin" else 1024
with open(target, "w") as file:
    json.dump({"seconds": seconds, "megabytes": usage.ru_maxrss * unit / 1e6}, file)
code = os.waitstatus_to_exitcode(status)
sys.exit(code if code >= 0 else 128 - code)
"""
"""A small program in between: the kernel counts a parent's memory towards its child's peak."""


@dataclass(frozen=True, slots=True)
class Finished:
    """Cost and output of a command."""

    seconds: float
    """Wall time of the whole process."""
    megabytes: float
    """Peak resident memory of the process; of its children, the largest alone."""
    stdout: str

    @property
    def document(self) -> dict[str, Any]:
        """stdout, read as JSON."""
        found: dict[str, Any] = json.loads(self.stdout)
        return found


def timed(*command: str | Path, cwd: Path | None = None) -> Finished:
    """Run a command. Raises SystemExit with its stderr if it fails."""
    with tempfile.TemporaryDirectory() as folder:
        cost = Path(folder) / "cost.json"
        words = [sys.executable, "-I", "-S", "-c", _METER, str(cost), *map(str, command)]
        done = subprocess.run(
            words, cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        if done.returncode:
            shown = " ".join(map(str, command))
            raise SystemExit(f"{shown} ended with {done.returncode}\n{done.stderr}")
        return Finished(**json.loads(cost.read_text(encoding="utf-8")), stdout=done.stdout)


def fmnist(*arguments: str | Path, cwd: Path | None = None) -> Finished:
    """Run a command of the program."""
    return timed(PROGRAM, *arguments, cwd=cwd)


def write_models(recipe: str, folder: Path) -> tuple[Path, Path]:
    """Write a `.pt` of a recipe's network with untrained weights, and its export.

    Speed does not depend on the weights' values.
    """
    import torch

    from fmnist_cli import models
    from fmnist_cli.checkpoints import checkpoint
    from fmnist_cli.checkpoints.metadata import ModelMetadata, NetworkRecord
    from fmnist_cli.training.recipes import RECIPES

    name = str(RECIPES[recipe]["model"])
    torch.manual_seed(0)
    network = models.build(name)
    record = NetworkRecord(name, parameters=models.count_parameters(network))
    path = folder / f"{recipe}.pt"
    metadata = ModelMetadata(record, models.network(name).normalization)
    checkpoint.save(path, network.state_dict(), metadata)
    fmnist("export-onnx", "-q", path, "--verify", "256")
    return path, path.with_suffix(".onnx")


def write_idx(data: LabeledImages, folder: Path, split: str = "train") -> Path:
    """Write a split as IDX files with the official names."""
    folder.mkdir(parents=True, exist_ok=True)
    images, labels = FILES["train" if split == "train" else "test"]
    head = np.array([0x803, len(data), IMAGE_SIZE, IMAGE_SIZE], ">i4").tobytes()
    (folder / images.name).write_bytes(gzip.compress(head + data.images.tobytes(), 1))
    head = np.array([0x801, len(data)], ">i4").tobytes()
    packed = gzip.compress(head + data.labels.astype(np.uint8).tobytes(), 1)
    (folder / labels.name).write_bytes(packed)
    return folder


def write_pngs(images: Images, folder: Path, count: int | None = None) -> Path:
    """Write images as 000000.png, …; `count`: number of names, the images over and over again."""
    from PIL import Image

    folder.mkdir(parents=True)
    for number in range(len(images) if count is None else count):
        path = folder / f"{number:06}.png"
        if number < len(images):
            Image.fromarray(images[number]).save(path)
        else:
            path.hardlink_to(folder / f"{number % len(images):06}.png")
    return folder


def official(split: str) -> LabeledImages:
    """An official split, downloaded if missing."""
    return open_source().read("train" if split == "train" else "test")


class Kept:
    """Figures by name, kept in a JSON file, so that several calls can do the whole."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.found: dict[str, dict[str, Any]] = {}
        if path.exists():
            self.found = json.loads(path.read_text(encoding="utf-8"))

    def keep(self, name: str, figures: dict[str, Any]) -> None:
        """Add figures and write the file."""
        self.found[name] = figures
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.write_text(json.dumps(self.found, indent=2) + "\n", encoding="utf-8")

    def starting(self, prefix: str) -> list[dict[str, Any]]:
        """All figures whose name starts with `prefix`, in order."""
        return [figures for name, figures in self.found.items() if name.startswith(prefix)]
