"""On a terminal: a bar that is redrawn, colors where they are wanted, nothing broken."""

import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

if os.name != "posix":
    pytest.skip("pseudo-terminals are of POSIX", allow_module_level=True)

import pty

from tests.cli.conftest import PROGRAM, Program, clean_environment


def on_terminal(
    *arguments: str | Path, cwd: Path, env: Mapping[str, str] | None = None, columns: int = 80
) -> tuple[int, str]:
    """Run the program with both streams on a pseudo-terminal; gives exit code and all it drew."""
    parent, child = pty.openpty()
    environment = clean_environment(
        {"TERM": "xterm-256color", "COLUMNS": str(columns), **(env or {})}
    )
    running = subprocess.Popen(
        [*PROGRAM, *map(str, arguments)],
        stdin=child,
        stdout=child,
        stderr=child,
        cwd=cwd,
        env=environment,
    )
    os.close(child)
    drawn = b""
    while True:
        try:
            part = os.read(parent, 65536)
        except OSError:  # Linux's word for the end of a pseudo-terminal
            break
        if not part:
            break
        drawn += part
    os.close(parent)
    return running.wait(timeout=60), drawn.decode()


TRAIN = (
    *("train", "--data", "sample:2000", "--model", "tutorial", "--epochs", "1"),
    *("--batch-size", "4", "--threads", "1", "--run-dir", "r"),
)


def test_training_draws_a_bar_and_leaves_a_line(tmp_path: Path) -> None:
    code, drawn = on_terminal(*TRAIN, cwd=tmp_path, columns=100)
    assert code == 0, drawn
    assert "Traceback" not in drawn
    assert re.search(r"epoch 1/1.*━.*loss \d\.\d+ +accuracy .*img/s", drawn)
    assert re.search(r"epoch 1/1  loss \d\.\d{4}  val loss \d\.\d{4}  val accuracy", drawn)
    assert "model.pt" in drawn


@pytest.mark.parametrize("env", [{"TERM": "dumb"}, {"NO_COLOR": "1"}])
def test_colors_are_left_out_where_they_are_not_wanted(env: dict[str, str], tmp_path: Path) -> None:
    code, drawn = on_terminal("evaluate", "none.pt", env=env, cwd=tmp_path)
    assert code == 66
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]", drawn)
    if env.get("TERM") == "dumb":
        assert "\x1b" not in drawn


def test_an_error_is_red_and_names_are_shown_as_they_are(tmp_path: Path) -> None:
    code, drawn = on_terminal("evaluate", "[bold]x[/bold].pt", cwd=tmp_path, columns=200)
    assert code == 66
    assert "\x1b[1;31merror: " in drawn
    assert "[bold]x[/bold].pt" in drawn


def test_help_is_drawn_by_rich(tmp_path: Path) -> None:
    code, drawn = on_terminal("train", "--help", cwd=tmp_path)
    assert code == 0
    assert "Fine-tuning" in drawn
    assert "╭" in drawn
    assert not re.search("<(bool|str|int|float|Path)", drawn)


def test_samples_are_shown_in_gray(tmp_path: Path) -> None:
    code, drawn = on_terminal("show", "--data", "sample:100", "-n", "2", cwd=tmp_path)
    assert code == 0
    assert "▀" in drawn


def test_samples_are_shown_by_characters_where_colors_are_not_wanted(tmp_path: Path) -> None:
    wanted = ("show", "--data", "sample:100", "-n", "8")
    code, drawn = on_terminal(*wanted, env={"NO_COLOR": "1"}, cwd=tmp_path)
    assert code == 0
    assert "▀" not in drawn
    assert "@" in drawn


def test_colors_that_are_asked_for_reach_a_pipe(tmp_path: Path, fmnist: Program) -> None:
    done = fmnist("evaluate", "none.pt", env={"FORCE_COLOR": "1"}, cwd=tmp_path, code=66)
    assert "\x1b[1;31merror: " in done.stderr
    assert "\x1b" in fmnist("evaluate", "--help", env={"FORCE_COLOR": "1"}).stdout
