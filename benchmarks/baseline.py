"""The course's loop in a process of its own, so that a measurement can take turns with it."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Final, Literal, Self

from fmnist_cli.data import download

SCRIPT: Final = Path(__file__).with_name("course.py")
_USERS_ENVIRONMENT: Final = dict(os.environ)
"""Import this module before `prepare_environment`: the baseline runs without fmnist's settings."""


class Course:
    """A context manager around `benchmarks/course.py`."""

    def __init__(self) -> None:
        folder = download.default_folder()
        download.fetch(folder)
        self._process = subprocess.Popen(
            [sys.executable, str(SCRIPT), str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=_USERS_ENVIRONMENT,
        )
        if not any(line == "ready" for line in iter(self._read, "")):
            raise SystemExit("the course's loop did not start")

    def seconds(self, work: Literal["epoch", "evaluate"]) -> float:
        """Run an epoch (training and evaluation) or one evaluation of the test split."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{work}\n")
        self._process.stdin.flush()
        return float(json.loads(self._read())["seconds"])

    def _read(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().removesuffix("\n")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()
