"""A forked command is the installed program: the same streams and exit codes."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import PROGRAM, Program, clean_environment


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
    forked = fmnist(*arguments, stdin="gone.png\n", cwd=tmp_path)
    started = subprocess.run(
        [*PROGRAM, *arguments],
        input="gone.png\n",
        cwd=tmp_path,
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert forked.returncode == started.returncode == code
    assert (forked.stdout, forked.stderr) == (started.stdout, started.stderr)
