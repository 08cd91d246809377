"""A forked command is the installed program: the same streams and exit codes."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Program, start


@pytest.mark.skipif(sys.platform != "linux", reason="commands are forked on Linux only")
@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--version"], 0),
        (["train", "--help"], 0),
        (["trian"], 2),
        (["evaluate", "gone.pt"], 66),
        (["predict", "pretrained", "-"], 65),
    ],
)
def test_forked_and_started_alike(
    fmnist: Program, arguments: list[str], code: int, tmp_path: Path
) -> None:
    forked = fmnist(*arguments, stdin="gone.png\n", code=code)
    started = start(*arguments, cwd=tmp_path, stdin=subprocess.PIPE)
    assert (forked.stdout, forked.stderr) == started.communicate("gone.png\n")
    assert started.returncode == code
