"""Fixtures that every test may use."""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fmnist_cli.__main__ import prepare_environment
from tests.cli.server import ForkServer, fork_server

prepare_environment()  # before any test loads torch

# Bits are compared, so the CPU computes, also where there is a GPU; hosted Macs show one without
# memory.
os.environ["CUDA_VISIBLE_DEVICES"] = ""
if sys.platform == "darwin":
    import torch

    torch.backends.mps.is_available = lambda: False

# A shell's job in the background ignores Ctrl-C, and so would every program that a test starts.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def forks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ForkServer | None]:
    """The server that commands are forked from; None where processes can't be forked safely."""
    if sys.platform != "linux":
        yield None
        return
    with fork_server(tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.fixture(scope="session")
def mirror() -> Path:
    """The folder of the four official files; tests on real data are skipped without it."""
    folder = os.environ.get("FMNIST_MIRROR", "")
    if not folder or not Path(folder).is_dir():
        pytest.skip("no real data: FMNIST_MIRROR does not name a folder")
    return Path(folder).resolve()


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name bytes by their argument: several processes must collect the same names each time."""
    return argname if isinstance(val, bytes | bytearray) else None
