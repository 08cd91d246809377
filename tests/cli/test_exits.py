"""Each line of the exit-code table, through the installed program."""

import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import BinaryIO

import pytest

from tests.cli.conftest import PROGRAM, Program, clean_environment
from tests.platforms import LINUX, POSIX

TRAIN = ("train", "--data", "sample:600", "--model", "tutorial", "--epochs", "1")


def started(
    *arguments: str | Path, cwd: Path, stdin: int | BinaryIO | None = None
) -> "subprocess.Popen[bytes]":
    """The program, running."""
    return subprocess.Popen(
        [*PROGRAM, *map(str, arguments)],
        cwd=cwd,
        env=clean_environment(),
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def test_0_done_and_version(fmnist: Program) -> None:
    done = fmnist("--version")
    assert done.returncode == 0
    assert done.stdout.startswith("fmnist ")


def test_1_a_bug_keeps_its_traceback(fmnist: Program, tmp_path: Path) -> None:
    """A fault that is put into the program, since none is known."""
    (tmp_path / "sitecustomize.py").write_text(
        "import fmnist_cli.training.recipes as recipes\nrecipes.resolve = lambda given: 1 / 0\n"
    )
    done = fmnist(*TRAIN, env={"PYTHONPATH": str(tmp_path)}, cwd=tmp_path)
    assert done.returncode == 1
    assert "Traceback" in done.stderr
    assert "ZeroDivisionError" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["train", "--epochs", "none"], "--epochs"),
        (["train", "--augment", "flip:9"], "0 to 1"),
        (["train", "--optimizer", "sgdd"], "sgd"),
        ([], "Usage"),
    ],
)
def test_2_wrong_usage_names_the_fix(fmnist: Program, arguments: list[str], told: str) -> None:
    done = fmnist(*arguments)
    assert done.returncode == 2
    assert told in done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr  # tests/cli/test_mistakes.py has many more


def test_3_a_gate_that_is_missed(fmnist: Program, trained_model: Path) -> None:
    done = fmnist("evaluate", trained_model, "--min", "accuracy=0.9999")
    assert done.returncode == 3
    assert "accuracy" in done.stderr
    assert "precision" in done.stdout


def test_65_bad_data(fmnist: Program, tmp_path: Path) -> None:
    (tmp_path / "model.pt").write_bytes(b"not a model")
    (tmp_path / "c.toml").write_text("= [")
    (tmp_path / "d.csv").write_text("label,pixel1\n1,2\n")
    for arguments in (
        ["evaluate", "model.pt"],
        ["train", "--config", "c.toml"],
        ["train", "--data", "d.csv"],
    ):
        done = fmnist(*arguments, cwd=tmp_path)
        assert done.returncode == 65, (arguments, done.stderr)
        assert 1 <= len(done.stderr.splitlines()) <= 3


def test_66_an_input_that_is_not_there(fmnist: Program, tmp_path: Path) -> None:
    for arguments in (
        ["evaluate", "none.pt"],
        ["compare", "pretrained", "none.pt"],
        ["predict", "none.pt", "none.png"],
        ["export-onnx", "none.pt"],
        ["train", "--data", "./none"],
        ["train", "--config", "none.toml"],
        ["train", "--resume", "last"],
    ):
        done = fmnist(*arguments, cwd=tmp_path)
        assert done.returncode == 66, (arguments, done.stderr)
        assert done.stdout == ""


def test_69_a_device_that_is_missing(fmnist: Program) -> None:
    done = fmnist(*TRAIN, "--device", "cuda:7", env={"CUDA_VISIBLE_DEVICES": ""})
    assert done.returncode == 69
    assert re.search("there is: (mps, )?cpu", done.stderr)


def test_69_no_mirror_answers(fmnist: Program, tmp_path: Path) -> None:
    with socket.socket() as nobody_listens:
        nobody_listens.bind(("127.0.0.1", 0))
        closed = f"http://127.0.0.1:{nobody_listens.getsockname()[1]}"
        environment = {"http_proxy": closed, "https_proxy": closed, "no_proxy": "127.0.0.1"}
        done = fmnist(
            *("download", "--mirror", f"{closed}/fashion", "--data-dir", tmp_path), env=environment
        )
    assert (done.returncode, done.stdout) == (69, "")
    assert "no mirror delivers" in done.stderr
    assert f"{closed}/fashion: Failed to establish a new connection" in done.stderr
    assert len(done.stderr.splitlines()) == 3
    assert not list(tmp_path.glob("*.gz"))


def test_70_training_that_diverges(fmnist: Program, tmp_path: Path) -> None:
    done = fmnist(
        *("train", "-q", "--data", "sample:100", "--model", "tutorial", "--device", "cpu"),
        *("--optimizer", "sgd", "--lr", "100", "--batch-size", "10", "--epochs", "20"),
        *("--run-dir", "r"),
        cwd=tmp_path,
    )
    assert (done.returncode, done.stdout) == (70, "")
    assert "training diverged; try a lower --lr (it was 100)" in done.stderr
    assert len(done.stderr.splitlines()) <= 3


def test_73_an_output_that_can_not_be_made(fmnist: Program, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for output in ("file/model.pt", "."):
        done = fmnist(*TRAIN, "-o", output, cwd=tmp_path)
        assert done.returncode == 73, done.stderr
    assert "Traceback" not in done.stderr


@LINUX
def test_74_a_full_disk_under_the_result(fmnist: Program) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [*PROGRAM, "--version"], stdout=full, stderr=subprocess.PIPE, check=False
        )
    assert done.returncode == 74
    assert b"No space left" in done.stderr


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
        second = started(*TRAIN, "--run-dir", "r", cwd=tmp_path)
        _, told = second.communicate(timeout=60)
    assert second.returncode == 75
    assert b"another run is using 'r'" in told


@POSIX
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_130_and_143_save_and_say_how_to_go_on(
    number: signal.Signals, code: int, fmnist: Program, tmp_path: Path
) -> None:
    arguments = ("train", "--data", "sample:600", "--model", "tutorial", "--epochs", "500")
    running = started(*arguments, "--run-dir", "r", cwd=tmp_path)
    history = tmp_path / "r/history.csv"
    deadline = time.monotonic() + 60
    while not (history.exists() and len(history.read_text().splitlines()) > 2):
        assert running.poll() is None, running.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)
    running.send_signal(number)
    out, told = running.communicate(timeout=30)
    assert running.returncode == code
    assert out == b""
    assert b"to go on: fmnist train --resume r" in told
    assert b"Traceback" not in told
    done_epochs = len(history.read_text().splitlines()) - 1
    done = fmnist("train", "--resume", "r", "--epochs", str(done_epochs + 1), cwd=tmp_path)
    assert done.returncode == 0, done.stderr


@POSIX
def test_143_while_an_error_is_told(fmnist: Program, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import os, signal\nimport fmnist_cli.cli.console as console\n"
        "console.error = lambda text: os.kill(os.getpid(), signal.SIGTERM)\n"
    )
    done = fmnist("train", "--epochs", "none", env={"PYTHONPATH": str(tmp_path)}, cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (143, "", "")


@POSIX
def test_141_a_reader_that_closes_the_pipe_is_met_with_silence(
    fmnist: Program, trained_model: Path, tmp_path: Path
) -> None:
    assert (
        fmnist(
            *("show", "--data", "sample:600", "-n", "50", "-o", tmp_path / "p"), cwd=tmp_path
        ).returncode
        == 0
    )
    names = "\n".join(str(path) for path in sorted((tmp_path / "p").iterdir()) * 60)
    (tmp_path / "names").write_text(names)
    with (tmp_path / "names").open("rb") as stdin:
        running = started("predict", "-q", trained_model, "-", cwd=tmp_path, stdin=stdin)
        assert running.stdout is not None
        assert running.stdout.readline().startswith(b"{")
        running.stdout.close()
        assert running.wait(timeout=60) == 141
    assert running.stderr is not None
    assert running.stderr.read() == b""
    running.stderr.close()


@pytest.mark.parametrize("words", [["--help"], ["train", "--help"], ["serve", "--help"]])
def test_help_waits_for_nothing_heavy(words: list[str]) -> None:
    heavy = [
        "torch",
        "torchvision",
        "pandas",
        "sklearn",
        "onnx",
        "onnxruntime",
        "matplotlib",
        "scipy",
        "numpy",
        "pydantic",
        "requests",
        "fastapi",
        "starlette",
        "uvicorn",
    ]
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
