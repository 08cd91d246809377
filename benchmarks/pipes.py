"""`fmnist predict` between two other programs: how soon it answers, and how soon it lets go.

    python -m benchmarks.pipes [--rounds 5] [--seconds 8]

A reader takes one line of 20,000 and leaves, as `head -1` does; a producer writes one path a second
and waits for the answer to each. Every figure is the largest of all rounds.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.fresh import network_of, write_both
from benchmarks.harness.rows import Row, parser, report
from benchmarks.program import PROGRAM
from fmnist_cli.data import synthetic
from fmnist_cli.data.pictures import write_png

FILES = 20_000
MOST_AFTER_HEAD = 1.0
MOST_FOR_AN_ANSWER = 1.5
PIPE_CLOSED = 141


def measure(rounds: int, answers: int) -> Iterator[Row]:
    """Take turns with a .pt and an .onnx file; yields three rows of each."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        models = write_both(network_of("default"), folder)
        pictures = _write_pictures(folder / "pictures")
        left: dict[Path, list[float]] = {model: [] for model in models}
        first: dict[Path, list[float]] = {model: [] for model in models}
        later: dict[Path, list[float]] = {model: [] for model in models}
        for _round in range(rounds):
            for model in models:
                left[model].append(_leave_after_one_line(model, pictures))
                head, *tail = _ask_slowly(model, pictures, answers)
                first[model].append(head)
                later[model] += tail
    for model in models:
        name = f"`predict model{model.suffix}"
        yield _row(
            f"{name} FOLDER | head -1`, {FILES:,} files, from head's end to the program's",
            left[model],
            MOST_AFTER_HEAD,
        )
        yield _row(
            f"{name} -`, one path a second, from a path to its answer",
            later[model],
            MOST_FOR_AN_ANSWER,
        )
        yield _row(
            f"{name} -`, from the program's start to the first answer",
            first[model],
            MOST_FOR_AN_ANSWER if model.suffix == ".onnx" else None,
        )


def _row(what: str, seconds: list[float], at_most: float | None) -> Row:
    return Row(
        what=what,
        ours=max(seconds),
        unit="s",
        n=len(seconds),
        statistic="largest",
        at_most=at_most,
    )


def _leave_after_one_line(model: Path, pictures: Path) -> float:
    """Seconds for which the program goes on when its reader has left."""
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


def _ask_slowly(model: Path, pictures: Path, answers: int) -> list[float]:
    """Seconds to each answer; the first counts from the program's start."""
    asked_at = time.perf_counter()
    running = subprocess.Popen(
        [PROGRAM, "predict", "-q", model, "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert running.stdin is not None
    assert running.stdout is not None
    seconds = []
    for number in range(answers):
        if number:
            time.sleep(max(0.0, asked_at + 1 - time.perf_counter()))
            asked_at = time.perf_counter()
        running.stdin.write(f"{pictures / _name(number)}\n".encode())
        running.stdin.flush()
        assert running.stdout.readline()
        seconds.append(time.perf_counter() - asked_at)
    running.stdin.close()
    assert running.wait() == 0
    running.stdout.close()
    return seconds


def _write_pictures(folder: Path) -> Path:
    """So many names of a few hundred files."""
    drawn = synthetic.draw(500, "test").images
    for number in range(FILES):
        if number < len(drawn):
            write_png(folder / _name(number), drawn[number])
        else:
            (folder / _name(number)).hardlink_to(folder / _name(number % len(drawn)))
    return folder


def _name(number: int) -> str:
    return f"{number:06}.png"


def main() -> int:
    """Print the rows; returns the exit code."""
    options = parser(__doc__)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--seconds", type=int, default=8, help="paths that a producer writes")
    given = options.parse_args()
    return report(measure(given.rounds, given.seconds), given)


if __name__ == "__main__":
    sys.exit(main())
