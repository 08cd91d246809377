"""The process itself: how it ends."""

import re
import subprocess
import sys

import pytest

_PROGRAM = """
import atexit, sys

class Library:
    def __del__(self):
        print("taken down", flush=True)

loaded = Library()
from fmnist_cli.__main__ import main
from fmnist_cli.cli import exits

command = exits.run

def run():
    atexit.register(lambda: print("cleaned up"))
    return command()

exits.run = run
sys.argv = ["fmnist", {argument!r}]
{fault}
main()
"""


@pytest.mark.parametrize(
    ("argument", "fault", "code", "out", "err"),
    [
        # The interpreter would take the library down after the exit handlers.
        ("--version", "", 0, "fmnist .*\ncleaned up\n", ""),
        ("no-such-command", "", 2, "cleaned up\n", "No such command"),
        # A bug ends it as Python does.
        ("--version", "command = lambda: 1 / 0", 1, "cleaned up\ntaken down\n", "ZeroDivision"),
    ],
)
def test_it_cleans_up_and_ends_with_the_code_of_the_command(
    argument: str, fault: str, code: int, out: str, err: str
) -> None:
    program = _PROGRAM.format(argument=argument, fault=fault)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == code
    assert re.fullmatch(out, done.stdout)
    assert err in done.stderr
