"""The process itself: how it ends."""

import subprocess
import sys

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


def ended(argument: str, fault: str = "") -> "subprocess.CompletedProcess[str]":
    """A process that holds something which is taken down when the interpreter is."""
    program = _PROGRAM.format(argument=argument, fault=fault)
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)


def test_it_cleans_up_but_takes_no_library_down() -> None:
    done = ended("--version")
    assert done.returncode == 0
    assert done.stdout.startswith("fmnist ")
    assert done.stdout.endswith("cleaned up\n")


def test_the_code_is_that_of_the_command() -> None:
    done = ended("no-such-command")
    assert done.returncode == 2
    assert done.stdout == "cleaned up\n"


def test_what_is_no_answer_ends_as_python_ends_it() -> None:
    done = ended("--version", "command = lambda: 1 / 0")
    assert done.returncode == 1
    assert "ZeroDivisionError" in done.stderr
    assert done.stdout == "cleaned up\ntaken down\n"
