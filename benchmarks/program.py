"""Run `fmnist` from a benchmark, and write parts of the official split for it to train on."""

import gzip
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

from fmnist_cli.constants import FILES, IMAGE_SIZE
from fmnist_cli.data.images import LabeledImages
from fmnist_cli.data.sources import open_source

PROGRAM = Path(sys.executable).with_name("fmnist")


def fmnist(*arguments: str | Path, cwd: Path) -> str:
    """Run a command to its end; gives stdout, and shows stderr where it fails."""
    done = subprocess.run(
        [str(PROGRAM), *map(str, arguments)], cwd=cwd, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"fmnist {' '.join(map(str, arguments))}\n{done.stderr}")
    return done.stdout


def scores(model: str, cwd: Path) -> dict[str, Any]:
    """What `evaluate` finds on the official test split."""
    text = fmnist("evaluate", model, "--data", "fashion-mnist", "--format", "json", cwd=cwd)
    found: dict[str, Any] = json.loads(text)
    return found


def official_training_split() -> LabeledImages:
    """All 60,000 images, fetched when missing."""
    return open_source().read("train")


def write_idx(data: LabeledImages, folder: Path) -> Path:
    """Write a training split as a folder of IDX files."""
    folder.mkdir(parents=True, exist_ok=True)
    images, labels = FILES["train"]
    head = np.array([0x803, len(data), IMAGE_SIZE, IMAGE_SIZE], ">i4").tobytes()
    (folder / images.name).write_bytes(gzip.compress(head + data.images.tobytes(), 1))
    head = np.array([0x801, len(data)], ">i4").tobytes()
    packed = gzip.compress(head + data.labels.astype(np.uint8).tobytes(), 1)
    (folder / labels.name).write_bytes(packed)
    return folder
