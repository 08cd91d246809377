"""Where the measurements run, on what and until when."""

import json
import math
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import torch

from fmnist_cli.data.sources import OFFICIAL, open_source
from fmnist_cli.inference.classifier import load

ROOT: Final = Path(__file__).parents[2]
_TOY_OPTIONS: Final = {
    "data": "synthetic:256",
    "model": "convnet-small",
    "epochs": 1,
    "batch_size": 64,
    "warmup": 0.0,
}


class NotDone(Exception):  # noqa: N818 - out of time, not a fault
    """The time of this call is over; what was begun goes on in the next."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One call of the measurements."""

    work: Path
    """Folder that is kept between calls."""
    device: torch.device
    is_toy: bool = False
    """Whether everything is tiny, to try the measurements themselves."""
    stop_at: float = field(default=math.inf)
    """time.monotonic() at which this call is over."""

    @property
    def overrides(self) -> Mapping[str, Any]:
        """What differs from a recipe's own options."""
        return _TOY_OPTIONS if self.is_toy else {}

    def seconds_left(self) -> float:
        """Until this call is over. Raises NotDone where nothing is left."""
        left = self.stop_at - time.monotonic()
        if left <= 0:
            raise NotDone
        return left

    def fmnist(self, *arguments: str | Path, timeout: float | None = None) -> str:
        """Run a command of the program from this folder, installed or not; gives its stdout.

        Raises NotDone where it was stopped after `timeout` seconds, with its state saved.
        """
        command = [sys.executable, "-m", "fmnist_cli", *map(str, arguments)]
        paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
        with subprocess.Popen(
            command,
            cwd=self.work,
            env=environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as process:
            try:
                stdout, stderr = process.communicate(timeout=timeout)
            except subprocess.TimeoutExpired:
                process.terminate()
                process.communicate()
                raise NotDone from None
        if process.returncode:
            raise SystemExit(f"{' '.join(command)} ended with {process.returncode}\n{stderr}")
        return stdout

    def ask(self, *arguments: str | Path, timeout: float | None = None) -> dict[str, Any]:
        """Run a command and read its JSON."""
        found: dict[str, Any] = json.loads(
            self.fmnist(*arguments, "--format", "json", timeout=timeout)
        )
        return found

    def accuracy(self, model: Path) -> float:
        """Accuracy of a model on the test split, in percent."""
        test = open_source(str(self.overrides.get("data", OFFICIAL))).read("test")
        labels = load(model, device=str(self.device))(test.images).argmax(1)
        return 100 * float((labels == test.labels).mean())

    def options(self) -> list[str]:
        """`overrides` as the command line writes them, with the device."""
        given = [f"--device={self.device}", "--val-size=0"]
        return given + [f"--{name.replace('_', '-')}={v}" for name, v in self.overrides.items()]
