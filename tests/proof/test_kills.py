"""A run that is killed again and again loses nothing: all that stands loads, its end is equal."""

import csv
import os
import signal
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Final

import pytest
import torch
from PIL import Image

from fmnist_cli.checkpoints import checkpoint
from fmnist_cli.errors import FmnistError
from tests.cli.conftest import clean_environment
from tests.cli.server import ForkServer
from tests.platforms import LINUX
from tests.proof.conftest import Record

pytestmark = LINUX

TRAIN: Final = (
    *("train", "--data", "sample:200", "--val-size", "50", "--model", "convnet-small"),
    *("--batch-size", "50", "--augment", "flip,shift:2", "--threads", "1", "--device", "cpu"),
)
LONGEST_SECONDS: Final = 1.5
"""A process is killed this long after its start, or earlier."""
CLOCKS_AND_PLACES: Final = {"seconds", "images_per_second", "run_dir", "output", "created_at"}
FILES: Final = {"last.pt", "run.toml", "history.csv", "curves.png"}


@dataclass
class KilledRun:
    """One run, killed and resumed."""

    server: ForkServer
    folder: Path
    epochs: int
    unharmed: Path
    """Folder of the same run, never killed."""
    random: Random = field(default_factory=lambda: Random(0))

    def finish(self) -> None:
        """Begin the run, or resume it, to its end."""
        done = self.server.run(*self._arguments(), cwd=self.folder, env=clean_environment())
        assert done.returncode == 0, done.stderr

    def run_and_kill(self) -> bool:
        """Do so until `kill -9` at a random moment; False where the end came first."""
        pid = self.server.start(*self._arguments(), cwd=self.folder, env=clean_environment())
        time.sleep(self.random.uniform(0, LONGEST_SECONDS))
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        done = self.server.wait()
        assert done.returncode in (0, -signal.SIGKILL), done.stderr
        return done.returncode != 0

    def damaged(self) -> list[str]:
        """What stands in the folder and is not whole."""
        faults = []
        for path in (*(self.folder / "run").glob("[!.]*"), *self.folder.glob("[!.]*.pt")):
            try:
                self._check(path)
            except (FmnistError, AssertionError, OSError, SyntaxError, ValueError) as error:
                faults.append(f"{path.name}: {error}")
        return faults

    def _arguments(self) -> tuple[str | Path, ...]:
        run = self.folder / "run"
        if (run / "last.pt").exists():
            return ("train", "--resume", run)
        return (*TRAIN, "--epochs", str(self.epochs), "--run-dir", run)

    def _check(self, path: Path) -> None:
        match path.name:
            case "last.pt":
                checkpoint.load_training(path)
            case "model.pt":
                assert content(path) == content(self.unharmed / "model.pt")
            case "run.toml":
                assert path.read_bytes() == (self.unharmed / "run/run.toml").read_bytes()
            case "history.csv":
                check_history(path)
            case "curves.png":
                Image.open(path).load()
            case other:
                raise AssertionError(f"nobody knows {other}")


def check_history(path: Path) -> None:
    """The rows are the state's, whole; the last may be missing, for the state is written first."""
    text = path.read_text()
    assert text.endswith("\n")
    rows = list(csv.DictReader(text.splitlines()))
    training = checkpoint.load_training(path.with_name("last.pt")).training
    assert training is not None
    known = [{name: str(value) for name, value in row.items()} for row in training["history"]]
    assert rows == known[: len(rows)]


def content(path: Path) -> list[Any]:
    """What a model file holds, but for clocks and names of places."""
    loaded = checkpoint.load(path)
    parts = (loaded.model.state_dict(), loaded.metadata.to_json(), loaded.training)
    return [comparable(part) for part in parts]


def comparable(value: Any) -> Any:
    """Nested plain data without what differs between equal runs; tensors as their bytes."""
    match value:
        case dict():
            kept = value.keys() - CLOCKS_AND_PLACES
            return {key: comparable(value[key]) for key in kept}
        case list() | tuple():
            return [comparable(item) for item in value]
        case torch.Tensor():
            return value.dtype, value.shape, value.contiguous().numpy().tobytes()
    return value


def run_of(server: ForkServer, folder: Path, epochs: int) -> KilledRun:
    """A run that has yet to begin, and the same one, done."""
    unharmed = folder / "unharmed"
    for path in (unharmed, folder / "killed"):
        path.mkdir(parents=True)
    whole = KilledRun(server, unharmed, epochs, unharmed)
    whole.finish()
    assert whole.damaged() == []
    return KilledRun(server, folder / "killed", epochs, unharmed)


def kill_often(run: KilledRun, kills: int) -> int:
    """Kill it so many times, look at all files each time, and let it end; counts all lives."""
    killed = lives = 0
    while killed < kills:
        killed += run.run_and_kill()
        lives += 1
        assert run.damaged() == [], f"after {killed} kills"
    run.finish()
    assert run.damaged() == []
    for name in ("model.pt", "run/last.pt"):
        assert content(run.folder / name) == content(run.unharmed / name)
    assert {path.name for path in (run.folder / "run").iterdir()} == {*FILES, ".lock"}
    return lives


@pytest.fixture
def server(forks: ForkServer | None) -> ForkServer:
    assert forks is not None
    return forks


def test_killed_twice(server: ForkServer, tmp_path: Path) -> None:
    kill_often(run_of(server, tmp_path, epochs=4), kills=2)


def test_what_a_kill_left_out_is_made_up_for(server: ForkServer, tmp_path: Path) -> None:
    """A kill after the last state was written, and before the files that follow from it."""
    run = run_of(server, tmp_path, epochs=2)
    run.finish()
    history = run.folder / "run/history.csv"
    whole = history.read_text()
    history.write_text("".join(whole.splitlines(keepends=True)[:-1]))
    (run.folder / "run/.run.toml.fmnist-tmp").write_text("half")
    run.finish()
    assert history.read_text() == whole
    assert {path.name for path in (run.folder / "run").iterdir()} == {*FILES, ".lock"}


@pytest.mark.proof
def test_killed_three_hundred_times(server: ForkServer, tmp_path: Path, record: Record) -> None:
    run = run_of(server, tmp_path, epochs=400)
    lives = kill_often(run, kills=300)
    record(
        "kill -9 while training",
        300,
        f"0 damaged files in {lives} lives, end bit-identical to the run never killed",
    )
