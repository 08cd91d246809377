"""Ctrl-C and SIGTERM at random moments: a prompt end, the right exit code, and files that load."""

import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Final, NamedTuple

import onnx
import pytest

from fmnist_cli.checkpoints import checkpoint
from fmnist_cli.constants import FILES
from tests.cli.conftest import Program, fmnist, program, start, trained_model
from tests.data import hostile
from tests.platforms import LINUX
from tests.proof.conftest import Record

__all__ = ["fmnist", "program", "trained_model"]
pytestmark = [LINUX, pytest.mark.proof]

PROMPT_SECONDS: Final = 2.0
EXIT_SECONDS: Final = 0.2
"""The kernel takes a process down in this time; a signal comes too late then."""
CODES: Final = {signal.SIGINT: 130, signal.SIGTERM: 143}


class Command(NamedTuple):
    """A command, stopped at `points` moments within `seconds` after its work begins."""

    arguments: tuple[str, ...]
    points: int
    seconds: float


def check_files(folder: Path) -> int:
    """Raise for a file that is damaged; returns the number of files that a command has written."""
    count = 0
    for path in folder.rglob("[!.]*"):
        match path.suffix:
            case ".pt":
                checkpoint.load(path)
            case ".html":
                assert path.read_text().endswith("</html>")
            case ".onnx":
                onnx.checker.check_model(onnx.load(path))
            case ".gz":
                raise AssertionError("no file is ever sent to its end")
            case _:
                continue
        count += 1
    return count


@contextmanager
def slow_mirror() -> Iterator[hostile.Mirror]:
    """Sends what looks like the first file, slowly."""

    def answer(request: hostile.Request, content: bytes) -> None:
        request.reply(200, content, Content_Length=FILES["train"][0].size_bytes)
        while not request.server.released.wait(0.02):
            request.wfile.write(bytes(10_000))

    with hostile.serve({FILES["train"][0].name: b"\x1f\x8b"}, answer) as mirror:
        yield mirror


def wait_for_work(running: "subprocess.Popen[str]") -> None:
    """Return once SIGTERM is caught: before that the process is Python's, not the program's."""
    status = Path(f"/proc/{running.pid}/status")
    deadline = time.monotonic() + 60
    while running.poll() is None:
        caught = status.read_text().partition("SigCgt:")[2].split()
        if caught and int(caught[0], 16) >> (signal.SIGTERM - 1) & 1:
            return
        assert time.monotonic() < deadline, "the program never begins"
        time.sleep(0.002)


def stop(command: Command, number: signal.Signals, after: float, folder: Path) -> float | None:
    """Send a signal; gives the seconds until the end, None where the end came first."""
    folder.mkdir()
    running = start(*command.arguments, cwd=folder, env={"no_proxy": "127.0.0.1"})
    wait_for_work(running)
    time.sleep(after)
    if running.poll() is not None:
        assert running.returncode == 0, running.communicate()
        running.communicate()
        return None
    sent_at = time.monotonic()
    running.send_signal(number)
    out, err = running.communicate(timeout=60)
    seconds = time.monotonic() - sent_at
    case = (command.arguments[0], number, after, seconds, out, err)
    assert "Traceback" not in err, case
    if running.returncode == 0 and seconds < EXIT_SECONDS:
        return None
    # A shell reports death by signal N as 128 + N.
    assert running.returncode in (CODES[number], -number), (case, running.returncode)
    assert seconds <= PROMPT_SECONDS, case
    return seconds


def test_signals_at_random_moments(
    fmnist: Program, trained_model: Path, tmp_path: Path, record: Record
) -> None:
    model = str(trained_model)
    with slow_mirror() as mirror:
        train = ("train", "--data", "sample", "--model", "convnet", "--run-dir", "run")
        commands = (
            Command((*train, "--epochs", "500", "--device", "cpu"), 20, 10),
            Command(("evaluate", model, "--report", "r.html"), 10, 6),
            Command(("export-onnx", model, "-o", "net.onnx", "--quantize", "int8"), 10, 8),
            Command(("download", "--mirror", mirror.url, "--data-dir", "."), 10, 3),
        )
        for command in commands:
            slowest, files = stop_often(command, tmp_path)
            assert files or command.arguments[0] != "train", "no run has saved anything"
            record(
                f"SIGINT or SIGTERM: {command.arguments[0]}",
                command.points,
                f"exit 130 or 143 within {slowest:.2f} s, {files} files stand and load",
            )


def stop_often(command: Command, folder: Path) -> tuple[float, int]:
    """Stop it as often as it says; gives the longest time to its end, and how many files stand."""
    random = Random(command.arguments[0])
    times: list[float] = []
    files = 0
    for life in range(5 * command.points):
        number = random.choice(list(CODES))
        after = random.uniform(0, command.seconds)
        its_folder = folder / f"{command.arguments[0]}-{life}"
        seconds = stop(command, number, after, its_folder)
        files += check_files(its_folder)
        if seconds is not None:
            times.append(seconds)
        if len(times) == command.points:
            return max(times), files
    raise AssertionError("it ends before the signals come")
