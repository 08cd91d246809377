"""What every command shares: help, verbosity, streams."""

import pytest

from tests.cli.conftest import Program

COMMANDS = ["download", "train", "evaluate", "predict", "export-onnx", "show", "info", "compare"]


def test_the_commands_are_those_of_the_contract(fmnist: Program) -> None:
    listed = fmnist("--help").stdout.partition("Commands:")[2]
    assert [
        line.split()[0] for line in listed.splitlines() if line.startswith("  ") and line[2] != " "
    ] == COMMANDS


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_the_shared_options(fmnist: Program, command: str) -> None:
    short, long = fmnist(command, "-h"), fmnist(command, "--help")
    assert short.stdout == long.stdout
    assert short.returncode == 0
    for option in ("--config", "--quiet", "--verbose", "-q", "-v"):
        assert option in short.stdout
    assert "\x1b" not in short.stdout
