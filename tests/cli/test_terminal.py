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

from fmnist_cli.data import sample
from fmnist_cli.data.pictures import write_png
from tests.cli.conftest import PROGRAM, Program, clean_environment
from tests.runs.written_runs import write_run


def on_terminal(
    *arguments: str | Path,
    cwd: Path,
    env: Mapping[str, str] | None = None,
    columns: int = 80,
    code: int = 0,
) -> str:
    """Run the program with both streams on a pseudo-terminal; gives all that it drew."""
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
    assert running.wait(timeout=60) == code, drawn
    return drawn.decode()


TRAIN = (
    *("train", "--data", "sample:2000", "--model", "tutorial", "--epochs", "1"),
    *("--batch-size", "4", "--threads", "1", "--run-dir", "r"),
)


def test_training_draws_a_bar_and_leaves_a_line(tmp_path: Path) -> None:
    drawn = on_terminal(*TRAIN, cwd=tmp_path, columns=100)
    assert "Traceback" not in drawn
    assert re.search(r"epoch 1/1.*━.*loss \d\.\d+ +accuracy .*img/s", drawn)
    assert re.search(r"epoch 1/1  loss \d\.\d{4}  val loss \d\.\d{4}  val accuracy", drawn)
    assert "model.pt" in drawn


@pytest.mark.parametrize("env", [{"TERM": "dumb"}, {"NO_COLOR": "1"}])
def test_colors_are_left_out_where_they_are_not_wanted(env: dict[str, str], tmp_path: Path) -> None:
    drawn = on_terminal("evaluate", "none.pt", env=env, cwd=tmp_path, code=66)
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]", drawn)
    if env.get("TERM") == "dumb":
        assert "\x1b" not in drawn


def test_an_error_is_red_and_names_are_shown_as_they_are(tmp_path: Path) -> None:
    drawn = on_terminal("evaluate", "[bold]x[/bold].pt", cwd=tmp_path, columns=200, code=66)
    assert "\x1b[1;31merror: " in drawn
    assert "[bold]x[/bold].pt" in drawn


def test_help_is_drawn_by_rich(tmp_path: Path) -> None:
    drawn = on_terminal("train", "--help", cwd=tmp_path)
    assert "Fine-tuning" in drawn
    assert "╭" in drawn
    assert not re.search("<(bool|str|int|float|Path)", drawn)


def test_samples_are_shown_in_gray_or_by_characters_if_colors_are_not_wanted(
    tmp_path: Path,
) -> None:
    wanted = ("show", "--data", "sample:100", "-n", "8")
    assert "▀" in on_terminal(*wanted, cwd=tmp_path)
    drawn = on_terminal(*wanted, env={"NO_COLOR": "1"}, cwd=tmp_path)
    assert "▀" not in drawn
    assert "@" in drawn


def test_colors_that_are_asked_for_reach_a_pipe(fmnist: Program) -> None:
    done = fmnist("evaluate", "none.pt", env={"FORCE_COLOR": "1"}, code=66)
    assert "\x1b[1;31merror: " in done.stderr
    assert "\x1b" in fmnist("evaluate", "--help", env={"FORCE_COLOR": "1"}).stdout


@pytest.mark.parametrize(
    ("columns", "has_others", "lines"), [(40, False, 6), (60, False, 3), (80, True, 3)]
)
def test_a_long_path_leaves_room_for_class_and_probability(
    columns: int, has_others: bool, lines: int, tmp_path: Path
) -> None:
    path = Path("pictures-of-a-long-name") / "and-another-long-name" / "t-shirt.png"
    write_png(tmp_path / path, sample.read("test").images[0])
    shown = ("predict", "pretrained", path, "--format", "table")
    drawn = on_terminal(*shown, cwd=tmp_path, columns=columns)
    assert "…" not in drawn
    header, *rows = re.sub(r"\x1b\[[0-9;]*m", "", drawn).splitlines()
    assert ("then" in header) == has_others
    assert re.match(r"[A-Z][A-Za-z-/ ]+\d+\.\d%  ", rows[0])
    assert len(rows) < lines
    start = header.index("input")
    assert "".join(row[start:].strip() for row in rows) == str(path)


def test_short_class_names_leave_their_header_whole(fmnist: Program, tmp_path: Path) -> None:
    for name in ("帽", "裤"):
        for number in range(2):
            write_png(tmp_path / f"own/{name}/{number}.png", sample.read("test").images[number])
    options = ("--recipe", "fast", "--epochs", "1", "--batch-size", "2", "-q")
    fmnist("train", "--data", "own", *options)
    drawn = on_terminal("predict", "model.pt", "own", "--format", "table", cwd=tmp_path)
    header = re.sub(r"\x1b\[[0-9;]*m", "", drawn).splitlines()[0]
    assert header.split()[:2] == ["class", "prob."]


def test_a_narrow_terminal_shows_the_classes_and_whole_numbers(
    trained_model: Path, tmp_path: Path
) -> None:
    drawn = on_terminal("evaluate", trained_model, "--data", "sample", cwd=tmp_path, columns=40)
    assert "no room for: support, precision" in drawn
    rows = re.sub(r"\x1b\[[0-9;]*m", "", drawn).splitlines()
    assert any(re.match(r"Ankle boot +0\.\d{4} +0\.\d{4}$", row) for row in rows)
    drawn = on_terminal(
        "compare", "pretrained", trained_model, "--data", "sample", cwd=tmp_path, columns=60
    )
    assert "no room for: b_probability, a_probability" in drawn


def test_a_narrow_terminal_gets_fewer_columns_of_runs(tmp_path: Path) -> None:
    for seed in (0, 1):
        write_run(tmp_path / f"runs/20260101-12000{seed}-convnet-small", seed=seed, augment="flip")
    write_run(tmp_path / "runs/20260101-120003-resnet18", (0.9,), augment="flip,shift:1")
    drawn = re.sub(r"\x1b\[[0-9;]*m", "", on_terminal("runs", cwd=tmp_path, columns=60))
    assert "no room for: img/s, sec, recipe" in drawn
    assert "flip,shift:1" in drawn
    assert max(map(len, drawn.splitlines())) <= 60
    assert "img/s" in on_terminal("runs", cwd=tmp_path, columns=160)
