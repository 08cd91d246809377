"""Run a contestant and time it from outside."""

import json
import os
import subprocess
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, Self

from benchmarks.peers.contestant import Contestant, Places
from benchmarks.peers.environment import Installed

OBSERVER: Final = Path(__file__).with_name("observer")
UNSET: Final = ("VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME")


@dataclass(frozen=True, slots=True)
class Measurement:
    """What a contestant took, and what it reached."""

    seconds: float
    """From the first command's start to the last one's end: training and judging."""
    start_seconds: float
    """From the start to the end of the first backward pass."""
    images_per_second: float
    """While it trains, evaluation left out."""
    accuracy: float | None
    """On the official test split, after the last epoch, where it came so far."""
    steps: int


@dataclass(frozen=True, slots=True)
class Result:
    """A contestant's measurement beside that of the baseline in the same run."""

    measured: Measurement
    baseline: Measurement
    installed: Installed
    date: str

    @property
    def ratio(self) -> float:
        """How many times its images a second the baseline's are."""
        return self.baseline.images_per_second / self.measured.images_per_second

    def save(self, path: Path) -> None:
        """Write it as JSON."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(asdict(self), indent=2) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote."""
        values = json.loads(path.read_text(encoding="utf-8"))
        return cls(
            Measurement(**values["measured"]),
            Measurement(**values["baseline"]),
            Installed(**values["installed"]),
            values["date"],
        )


def measure(contestant: Contestant, programs: Path, places: Places) -> Measurement:
    """Run its commands in an empty folder, with `programs` first on the path.

    Raises SystemExit, with what it wrote to stderr, where a command fails.
    """
    with TemporaryDirectory() as scratch:
        folder = Path(scratch)
        steps_file = folder / "steps.json"
        environment = {name: text for name, text in os.environ.items() if name not in UNSET}
        environment["PATH"] = f"{programs}{os.pathsep}{environment['PATH']}"
        environment["PYTHONPATH"] = str(OBSERVER)
        environment |= contestant.environment
        output = ""
        started_at = time.monotonic()
        for number, words in enumerate(contestant.typed(places)):
            watched = {"PEERS_STEPS": str(steps_file)} if number == 0 else {}
            if contestant.max_steps is not None:
                watched["PEERS_MAX_STEPS"] = str(contestant.max_steps)
            done = subprocess.run(
                [str(programs / words[0]), *words[1:]],
                cwd=folder,
                env=environment | watched,
                input=contestant.stdin,
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode:
                raise SystemExit(f"{' '.join(words)}\n{done.stderr[-2000:]}")
            output = done.stdout
        ended_at = time.monotonic()
        steps: list[float] = json.loads(steps_file.read_text(encoding="utf-8"))
        return Measurement(
            seconds=ended_at - started_at,
            start_seconds=steps[0] - started_at,
            images_per_second=rate(
                steps,
                contestant.epochs,
                contestant.batch_size,
                contestant.images,
                contestant.later_images,
            ),
            accuracy=None if contestant.max_steps else contestant.read_accuracy(folder, output),
            steps=len(steps),
        )


def rate(
    steps: list[float], epochs: int, batch_size: int, images: int, later_images: int | None = None
) -> float:
    """Images a second between the first and the last step of an epoch, over all epochs.

    steps: when each step's backward pass ended, in seconds, all epochs in a row. An epoch's last
    batch may be a smaller one or be left out; `later_images` are those of each epoch but the first,
    where they are fewer. Raises ValueError where the steps do not divide.
    """
    first = len(steps) // epochs if later_images is None else images // batch_size
    later = first if later_images is None else later_images // batch_size
    is_first_whole = 0 < images - batch_size * (first - 1) < 2 * batch_size
    if first + later * (epochs - 1) != len(steps) or not is_first_whole:
        raise ValueError(f"{len(steps)} steps are no {epochs} epochs of {images} images")
    seen, seconds, start = 0, 0.0, 0
    for length in (first, *(later,) * (epochs - 1)):
        seen += min(images, length * batch_size) - batch_size
        seconds += steps[start + length - 1] - steps[start]
        start += length
    return seen / seconds
