"""Run `fmnist` and other commands, and prepare what they read."""

import gzip
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import numpy as np
from PIL import Image

from fmnist_cli.constants import FILES, IMAGE_SIZE
from fmnist_cli.data import download
from fmnist_cli.data.images import Images, LabeledImages
from fmnist_cli.data.sources import open_source

Name = TypeVar("Name")
PROGRAM: Final = Path(sys.executable).with_name("fmnist")

_METER: Final = """
import json, os, sys, time
target, *command = sys.argv[1:]
started_at = time.perf_counter()
pid = os.posix_spawnp(command[0], command, os.environ)
_, status, usage = os.wait4(pid, 0)
seconds = time.perf_counter() - started_at
unit = 1 if sys.platform == "darwin" else 1024
with open(target, "w") as file:
    json.dump({"seconds": seconds, "megabytes": usage.ru_maxrss * unit / 1e6}, file)
code = os.waitstatus_to_exitcode(status)
sys.exit(code if code >= 0 else 128 - code)
"""
"""A small program in between: the kernel counts a parent's memory towards its child's peak."""


@dataclass(frozen=True, slots=True)
class Finished:
    """Exit code, output and cost of a command."""

    code: int
    stdout: str
    stderr: str
    seconds: float
    """Wall time of the whole process."""
    megabytes: float
    """Peak resident memory of the process; of its children, the largest alone."""

    @property
    def document(self) -> dict[str, Any]:
        """stdout, read as JSON."""
        document: dict[str, Any] = json.loads(self.stdout)
        return document


def timed(
    *command: str | Path,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    stdin: str = "",
) -> Finished:
    """Run a command. Raises SystemExit with its stderr if it fails."""
    done = metered(*command, cwd=cwd, env=env, stdin=stdin)
    if done.code:
        raise SystemExit(f"{' '.join(map(str, command))} ended with {done.code}\n{done.stderr}")
    return done


def metered(
    *command: str | Path,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    stdin: str = "",
) -> Finished:
    """Run a command that may fail; the code of one that a signal ends is 128 + N."""
    with scratch() as folder:
        cost = folder / "cost.json"
        words = [sys.executable, "-I", "-S", "-c", _METER, cost, *command]
        done = subprocess.run(
            words, cwd=cwd, env=env, input=stdin, capture_output=True, text=True, check=False
        )
        found = json.loads(cost.read_text(encoding="utf-8"))
        return Finished(done.returncode, done.stdout, done.stderr, **found)


def seconds_of(*command: str | Path) -> float:
    """Run a command; returns its seconds."""
    return timed(*command).seconds


def fmnist(*arguments: str | Path, cwd: Path | None = None) -> Finished:
    """Run a command of the program."""
    return timed(PROGRAM, *arguments, cwd=cwd)


def ask(*arguments: str | Path, cwd: Path | None = None) -> dict[str, Any]:
    """Run a command of the program; returns its answer in JSON."""
    return fmnist(*arguments, "--format", "json", cwd=cwd).document


@contextmanager
def scratch() -> Iterator[Path]:
    """An empty folder, removed afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def take_turns(
    rounds: int, figures: Mapping[Name, Callable[[], float]], warm_up: int = 0
) -> dict[Name, list[float]]:
    """Take each figure once per round; the first `warm_up` rounds do not count."""
    turns = [{name: take() for name, take in figures.items()} for _ in range(warm_up + rounds)]
    return {name: [turn[name] for turn in turns[warm_up:]] for name in figures}


@contextmanager
def course() -> Iterator[Callable[[str], float]]:
    """The course's loop in a process of its own.

    Yields a function that runs `epoch` (training and evaluation) or `evaluate` (the test split)
    and returns the seconds. Enter before `prepare_environment`: the baseline runs without fmnist's
    settings.
    """
    script = Path(__file__).with_name("course.py")
    with scratch() as folder:
        command = (sys.executable, script, lay_out_for_torchvision(folder))
        pipe = subprocess.PIPE
        with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, bufsize=1) as process:
            stdin, stdout = process.stdin, process.stdout
            assert stdin is not None
            assert stdout is not None

            def seconds(work: str) -> float:
                stdin.write(f"{work}\n")
                return float(json.loads(stdout.readline())["seconds"])

            if "ready\n" not in stdout:
                raise SystemExit("the course's loop did not start")
            yield seconds


def lay_out_for_torchvision(folder: Path) -> Path:
    """Put the four files where `FashionMNIST(folder, download=True)` finds and unpacks them."""
    raw = folder / "FashionMNIST" / "raw"
    raw.mkdir(parents=True, exist_ok=True)
    download.fetch(download.default_folder())
    for file in download.default_folder().glob("*-ubyte.gz"):
        shutil.copy(file, raw)
    return folder


def write_models(recipe: str, folder: Path) -> tuple[Path, Path]:
    """Write a `.pt` of a recipe's network, barely trained, and its export.

    Speed does not depend on the weights' values.
    """
    path = folder / f"{recipe}.pt"
    options = ("--data", "sample", "--epochs", "1", "--val-size", "0", "--output", path)
    fmnist("train", "-q", "--recipe", recipe, *options, cwd=folder)
    fmnist("export-onnx", "-q", path, "--verify", "256")
    return path, path.with_suffix(".onnx")


def write_idx(data: LabeledImages, folder: Path) -> Path:
    """Write a training split as IDX files with the official names."""
    folder.mkdir(parents=True, exist_ok=True)
    images, labels = FILES["train"]
    head = np.array([0x803, len(data), IMAGE_SIZE, IMAGE_SIZE], ">i4").tobytes()
    (folder / images.name).write_bytes(gzip.compress(head + data.images.tobytes(), 1))
    head = np.array([0x801, len(data)], ">i4").tobytes()
    packed = gzip.compress(head + data.labels.astype(np.uint8).tobytes(), 1)
    (folder / labels.name).write_bytes(packed)
    return folder


def write_pngs(images: Images, folder: Path, count: int | None = None) -> Path:
    """Write images as 000000.png, …; `count`: number of names, the images over and over again."""
    folder.mkdir(parents=True)
    for number in range(len(images) if count is None else count):
        path = folder / f"{number:06}.png"
        if number < len(images):
            Image.fromarray(images[number]).save(path)
        else:
            path.hardlink_to(folder / f"{number % len(images):06}.png")
    return folder


def official(split: str) -> LabeledImages:
    """An official split, downloaded if missing."""
    return open_source().read("train" if split == "train" else "test")


class Kept:
    """Figures by name, kept in a JSON file, so that several calls can share the work."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.found: dict[str, dict[str, Any]] = {}
        if path.exists():
            self.found = json.loads(path.read_text(encoding="utf-8"))

    def keep(self, name: str, figures: dict[str, Any]) -> None:
        """Add figures and write the file."""
        self.found[name] = figures
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.write_text(json.dumps(self.found, indent=2) + "\n", encoding="utf-8")
