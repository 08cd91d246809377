"""`fmnist predict` between two other programs: how soon it answers, and how soon it stops.

    python -m benchmarks.pipes [--rounds 5] [--paths 8] [--files 20000]

A reader takes one line of many and leaves, as `head -1` does; a producer writes one path per second
and waits for the prediction. Every figure is the largest of all rounds.
"""

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.program import PROGRAM, official, scratch, write_models, write_pngs
from benchmarks.report import Row, run

MAX_AFTER_HEAD, MAX_ANSWER = 1.0, 1.5
PIPE_CLOSED = 141


def measure(rounds: int = 5, paths: int = 8, files: int = 20_000) -> Iterator[Row]:
    """Take turns with a .pt and an .onnx file."""
    with scratch() as folder:
        models = write_models("default", folder)
        pictures = write_pngs(official("test").images[:500], folder / "pictures", files)
        for model in models:
            left, first, later = [], [], []
            for _round in range(rounds):
                left.append(_leave_after_one_line(model, pictures))
                head, *tail = _ask_slowly(model, pictures, paths)
                first.append(head)
                later += tail
            bar = MAX_ANSWER if model.suffix == ".onnx" else None
            head_line = f"FOLDER | head -1`, {files:,} files, from head's end to the program's"
            for what, seconds, max_seconds in (
                (head_line, left, MAX_AFTER_HEAD),
                ("-`, one path per second, from a path to its prediction", later, MAX_ANSWER),
                ("-`, from the program's start to the first prediction", first, bar),
            ):
                what = f"`predict model{model.suffix} {what}"
                yield Row(what, seconds, "s", "largest", bars={"≤": max_seconds})


def _leave_after_one_line(model: Path, pictures: Path) -> float:
    """Seconds for which the program goes on after its reader has left."""
    running = subprocess.Popen(
        [PROGRAM, "predict", "-q", model, pictures],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
    )
    assert running.stdout is not None
    running.stdout.readline()
    running.stdout.close()
    left_at = time.perf_counter()
    code = running.wait()
    seconds = time.perf_counter() - left_at
    assert code == PIPE_CLOSED, code
    return seconds


def _ask_slowly(model: Path, pictures: Path, paths: int) -> list[float]:
    """Seconds to each prediction; the first counts from the program's start."""
    asked_at = time.perf_counter()
    running = subprocess.Popen(
        [PROGRAM, "predict", "-q", model, "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert running.stdin is not None
    assert running.stdout is not None
    seconds = []
    for number in range(paths):
        if number:
            time.sleep(max(0.0, asked_at + 1 - time.perf_counter()))
            asked_at = time.perf_counter()
        running.stdin.write(f"{pictures}/{number:06}.png\n".encode())
        running.stdin.flush()
        assert running.stdout.readline()
        seconds.append(time.perf_counter() - asked_at)
    running.communicate()
    assert running.returncode == 0
    return seconds


if __name__ == "__main__":
    run(measure)
