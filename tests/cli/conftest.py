"""Whole commands through the installed program, as a user or a script runs them."""

import json
import os
import shutil
import subprocess
import sysconfig
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

import pytest

from tests.cli.schemas import parse
from tests.cli.server import ForkServer

PROGRAM = [shutil.which("fmnist", path=sysconfig.get_path("scripts")) or "fmnist"]
SETTINGS = ("FMNIST_MIRROR", "FMNIST_DATA_DIR", "FMNIST_DEVICE", "NO_COLOR", "FORCE_COLOR")

STARTUP = {"PYTHONPATH", "OMP_NUM_THREADS", "CUDA_VISIBLE_DEVICES", "FORCE_COLOR", "MPLCONFIGDIR"}
"""Settings with which a command is started anew rather than forked."""


def clean_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process's environment, with the CPU in place of whatever settings the machine has."""
    kept = {name: value for name, value in os.environ.items() if name not in SETTINGS}
    return {**kept, "FMNIST_DEVICE": "cpu", **(extra or {})}


def start(
    *arguments: str | Path,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    stdin: int | IO[bytes] | None = subprocess.DEVNULL,
) -> "subprocess.Popen[str]":
    """The program, running."""
    return subprocess.Popen(
        [*PROGRAM, *map(str, arguments)],
        cwd=cwd,
        env=clean_environment(env),
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for_epochs(running: "subprocess.Popen[str]", history: Path, count: int) -> None:
    """Return once a run has trained for so many epochs."""
    deadline = time.monotonic() + 120
    while not (history.exists() and len(history.read_text().splitlines()) > count):
        assert running.poll() is None, running.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)


def check(done: "subprocess.CompletedProcess[str]") -> None:
    """Check what holds of every command that ends with an error."""
    if done.returncode in (0, 1, 3):  # a missed gate prints the report, too
        return
    assert "Traceback" not in done.stderr
    error = done.stderr.partition("error: ")[2].splitlines()
    assert len([line for line in error if not line.startswith("  ")]) <= 3  # apart from quoted code
    assert done.returncode == 65 or done.stdout == "", "stdout carries results only"


@dataclass(frozen=True)
class Program:
    """Run `fmnist` with arguments; streams are text."""

    forks: ForkServer | None
    data_folder: Path
    start_folder: Path

    def __call__(
        self,
        *arguments: str | Path,
        stdin: str | bytes | None = None,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        timeout: float = 120,
        code: int | None = 0,
    ) -> "subprocess.CompletedProcess[str]":
        """Run it to its end and check the exit code (None: any) and the form of an error."""
        given = stdin.encode() if isinstance(stdin, str) else stdin or b""
        environment = clean_environment({"FMNIST_DATA_DIR": str(self.data_folder), **(env or {})})
        cwd = cwd or self.start_folder
        # Some variables are read when Python and its libraries start.
        if self.forks is not None and not STARTUP & (env or {}).keys():
            done = self.forks.run(
                *arguments, stdin=given, env=environment, cwd=cwd, timeout=timeout
            )
        else:
            command = [*PROGRAM, *map(str, arguments)]
            ended = subprocess.run(
                command, input=given, capture_output=True, env=environment, cwd=cwd, timeout=timeout
            )
            err = ended.stderr.decode().replace("\r\n", "\n")
            done = subprocess.CompletedProcess(
                command, ended.returncode, ended.stdout.decode(), err
            )
        assert code in (None, done.returncode), done.stderr
        check(done)
        return done

    def json(self, *arguments: str | Path, schema: str | None = None, **options: Any) -> Any:
        """What a command prints with `--format json`, which fits the schema of that name."""
        text = self(*arguments, "--format", "json", **options).stdout
        return json.loads(text) if schema is None else parse(text, schema)


@pytest.fixture(scope="session")
def program(forks: ForkServer | None, tmp_path_factory: pytest.TempPathFactory) -> Program:
    """The program, with a data folder of its own that is empty at first."""
    return Program(forks, tmp_path_factory.mktemp("data"), tmp_path_factory.mktemp("cwd"))


@pytest.fixture
def fmnist(program: Program, tmp_path: Path) -> Program:
    """The program, in the test's own folder."""
    return replace(program, start_folder=tmp_path)


@pytest.fixture(scope="session")
def trained_model(program: Program, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small model trained on the sample by the program itself."""
    folder = tmp_path_factory.mktemp("model")
    program(
        *("train", "-q", "--data", "sample:600", "--model", "tutorial", "--epochs", "2"),
        *("--val-size", "100", "--batch-size", "50", "--lr", "0.02"),
        cwd=folder,
    )
    return folder / "model.pt"
