"""The course's loop in a process of its own, as its readers' machines run it."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Literal, Self

from fmnist_cli.data import download

USERS_ENVIRONMENT: Final = dict(os.environ)
"""Import this module before `prepare_environment`: the baseline runs without what we set."""


@dataclass(frozen=True, slots=True)
class Work:
    """What one epoch (training and evaluation) or one evaluation of the test split took."""

    seconds: float
    test_accuracy: float


class Course:
    """A context manager: `benchmarks.course` waits between calls, so turns can be taken with it."""

    def __init__(self) -> None:
        folder = download.default_folder()
        download.fetch(folder)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.course", str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=USERS_ENVIRONMENT,
        )
        while (line := self._read()).strip() != "ready":
            if not line:
                raise SystemExit("the course's loop did not start")

    def do(self, work: Literal["epoch", "evaluate"]) -> Work:
        """Run it and wait."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{work}\n")
        self._process.stdin.flush()
        return Work(**json.loads(self._read()))

    def _read(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()
