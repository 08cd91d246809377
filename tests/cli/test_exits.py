"""Exit codes that take more than a command line: bugs, full disks, locks, signals."""

import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import PROGRAM, Program, start, wait_for_epochs
from tests.platforms import LINUX, POSIX

TRAIN = ("train", "--data", "sample:600", "--model", "tutorial", "--epochs", "1")


def test_1_a_bug_keeps_its_traceback(fmnist: Program, tmp_path: Path) -> None:
    """A fault that is put into the program, since none is known."""
    (tmp_path / "sitecustomize.py").write_text(
        "import fmnist_cli.training.recipes as recipes\nrecipes.configure = lambda **given: 1 / 0\n"
    )
    done = fmnist(*TRAIN, env={"PYTHONPATH": str(tmp_path)}, code=1)
    assert "Traceback" in done.stderr
    assert "ZeroDivisionError" in done.stderr


@LINUX
def test_74_a_full_disk_under_the_result(fmnist: Program) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [*PROGRAM, "--version"], stdout=full, stderr=subprocess.PIPE, check=False
        )
    assert done.returncode == 74
    assert b"No space left" in done.stderr


@POSIX
@pytest.mark.parametrize(
    "command",
    ["--version >&-", "info --format json >&-", "predict pretrained - <&-", "info <&- >&- 2>&-"],
)
def test_74_a_closed_stream(command: str, tmp_path: Path) -> None:
    done = subprocess.run(
        f"exec {shlex.quote(PROGRAM[0])} {command}",
        cwd=tmp_path,
        shell=True,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 74
    assert (b"standard input or output is closed" in done.stderr) == ("2>&-" not in command)


@LINUX
@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["predict", "pretrained", "none.png"], 66),
        (["train", "--epochs", "none"], 2),
        ([], 74),
    ],
)
def test_the_code_stands_where_no_message_can(
    arguments: list[str], code: int, tmp_path: Path
) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run([*PROGRAM, *arguments], cwd=tmp_path, stderr=full, check=False)
    assert done.returncode == code


def test_75_another_run_has_the_folder(tmp_path: Path) -> None:
    from filelock import FileLock

    (tmp_path / "r").mkdir()
    with FileLock(tmp_path / "r/.lock"):
        second = start(*TRAIN, "--run-dir", "r", cwd=tmp_path)
        _, err = second.communicate(timeout=60)
    assert second.returncode == 75
    assert "another run is using 'r'" in err


@POSIX
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_130_and_143_save_and_say_how_to_go_on(
    number: signal.Signals, code: int, fmnist: Program, tmp_path: Path
) -> None:
    arguments = ("train", "--data", "sample:600", "--model", "tutorial", "--epochs", "500")
    running = start(*arguments, "--run-dir", "r", cwd=tmp_path)
    history = tmp_path / "r/history.csv"
    wait_for_epochs(running, history, 2)
    running.send_signal(number)
    out, err = running.communicate(timeout=30)
    assert (running.returncode, out) == (code, "")
    assert "to go on: fmnist train --resume r" in err
    assert "Traceback" not in err
    done_epochs = len(history.read_text().splitlines()) - 1
    fmnist("train", "--resume", "r", "--epochs", str(done_epochs + 1))


@POSIX
def test_143_while_an_error_is_told(fmnist: Program, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import os, signal\nimport fmnist_cli.cli.console as console\n"
        "console.error = lambda text: os.kill(os.getpid(), signal.SIGTERM)\n"
    )
    done = fmnist("train", "--epochs", "none", env={"PYTHONPATH": str(tmp_path)}, code=143)
    assert (done.stdout, done.stderr) == ("", "")


@pytest.mark.parametrize("words", [["--help"], ["train", "--help"], ["serve", "--help"]])
def test_help_waits_for_nothing_heavy(words: list[str]) -> None:
    heavy = (
        *("torch", "torchvision", "pandas", "sklearn", "onnx", "onnxruntime", "matplotlib"),
        *("scipy", "numpy", "pydantic", "requests", "fastapi", "starlette", "uvicorn"),
    )
    script = (
        f"import sys; sys.argv = {['fmnist', *words]!r}\n"
        "from fmnist_cli.cli.exits import run\n"
        "run()\n"
        f"print(sorted(set(sys.modules) & set({heavy!r})), file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert "Usage: fmnist" in done.stdout
    assert done.stderr.strip() == "[]"
