"""Whole commands through the installed program, as a user or a script runs them."""

import os
import shutil
import subprocess
import sysconfig
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import pytest

from tests.cli.server import ForkServer

PROGRAM = [shutil.which("fmnist", path=sysconfig.get_path("scripts")) or "fmnist"]
SETTINGS = ("FMNIST_MIRROR", "FMNIST_DATA_DIR", "FMNIST_DEVICE", "NO_COLOR", "FORCE_COLOR")

STARTUP = {"PYTHONPATH", "OMP_NUM_THREADS", "CUDA_VISIBLE_DEVICES", "FORCE_COLOR", "MPLCONFIGDIR"}
"""Settings with which a command is started anew rather than forked."""


class Program(Protocol):
    """Run `fmnist` with arguments; streams are text."""

    def __call__(
        self,
        *arguments: str | Path,
        stdin: str | bytes | None = None,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        timeout: float = 120,
    ) -> subprocess.CompletedProcess[str]: ...


def clean_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process's environment, with the CPU in place of whatever settings the machine has."""
    kept = {name: value for name, value in os.environ.items() if name not in SETTINGS}
    return {**kept, "FMNIST_DEVICE": "cpu", **(extra or {})}


@pytest.fixture(scope="session")
def fmnist(forks: ForkServer | None, tmp_path_factory: pytest.TempPathFactory) -> Program:
    """The program, in a data folder of its own that is empty at first."""
    data_folder = tmp_path_factory.mktemp("data")
    start_folder = tmp_path_factory.mktemp("cwd")

    def run(
        *arguments: str | Path,
        stdin: str | bytes | None = None,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        timeout: float = 120,
    ) -> subprocess.CompletedProcess[str]:
        given = stdin.encode() if isinstance(stdin, str) else stdin or b""
        environment = clean_environment({"FMNIST_DATA_DIR": str(data_folder), **(env or {})})
        cwd = cwd or start_folder
        # Some variables are read when Python and its libraries start.
        if forks is not None and not STARTUP & (env or {}).keys():
            return forks.run(*arguments, stdin=given, env=environment, cwd=cwd, timeout=timeout)
        done = subprocess.run(
            [*PROGRAM, *map(str, arguments)],
            input=given,
            capture_output=True,
            env=environment,
            cwd=cwd,
            timeout=timeout,
            check=False,
        )
        return subprocess.CompletedProcess(
            done.args,
            done.returncode,
            done.stdout.decode(),
            done.stderr.decode().replace("\r\n", "\n"),
        )

    return run


@pytest.fixture(scope="session")
def trained_model(fmnist: Program, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small model trained on the sample by the program itself."""
    folder = tmp_path_factory.mktemp("model")
    done = fmnist(
        *("train", "-q", "--data", "sample:600", "--model", "tutorial", "--epochs", "2"),
        *("--val-size", "100", "--batch-size", "50", "--lr", "0.02"),
        cwd=folder,
    )
    assert done.returncode == 0, done.stderr
    return folder / "model.pt"
