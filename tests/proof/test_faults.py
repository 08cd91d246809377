"""System calls that fail as files are written: what stood there stays, or the new one is whole."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
import onnx
import pytest
from PIL import Image

from fmnist_cli.checkpoints import checkpoint
from fmnist_cli.data.csv_layout import PIXELS
from fmnist_cli.errors import FmnistError
from tests.cli.conftest import clean_environment
from tests.cli.server import ForkServer, fork_server
from tests.data import hostile
from tests.platforms import LINUX
from tests.proof.conftest import Record
from tests.proof.small_mirror import CONTENTS
from tests.proof.strace import FAULTS, Call, calls_below, run_traced, was_injected

pytestmark = [
    LINUX,
    pytest.mark.proof,
    pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed"),
]

TRAIN: Final = (
    *("train", "-q", "--data", "sample:100", "--val-size", "20", "--model", "convnet-small"),
    *("--batch-size", "40", "--threads", "1", "--device", "cpu", "--epochs", "1"),
)
EVALUATE: Final = (
    *("evaluate", "-q", "model.pt", "--data", "a.csv", "--split", "train", "--device", "cpu"),
    *("--report", "r.html", "--confusion", "c.png", "--predictions", "p.csv", "--threads", "1"),
)
WRITINGS: Final = {
    "train": (*TRAIN, "--run-dir", "new"),
    "train --resume": ("train", "-q", "--resume", "run", "--epochs", "2"),
    "export-onnx": ("export-onnx", "-q", "model.pt", "--verify", "8"),
    "evaluate": EVALUATE,
}
OUTCOME: Final = "0 damaged files, exit 74"
ATTEMPTS: Final = 9
"""What arrives in pieces is not written in as many pieces each time."""


@dataclass(frozen=True)
class Places:
    """A folder as it was before a command, and as the command leaves it when nothing fails."""

    before: Path
    after: Path

    def faults(self, folder: Path) -> list[str]:
        """What stands in a folder and is neither the old nor the new file, whole."""
        return [
            f"{path.relative_to(folder)}: {fault}"
            for path in sorted(folder.rglob("[!.]*"))
            if path.is_file()
            for fault in [self._fault(path, path.relative_to(folder))]
            if fault
        ]

    def _fault(self, path: Path, name: Path) -> str:
        content = path.read_bytes()
        for known in (self.before / name, self.after / name):
            if known.is_file() and known.read_bytes() == content:
                return ""
        try:
            return "" if _is_whole(path, self.after / name) else "other content"
        except (FmnistError, OSError, SyntaxError, ValueError) as error:
            return str(error)


def _is_whole(path: Path, good: Path) -> bool:
    """Tell of files that hold times, and so are never the same twice."""
    match path.suffix:
        case ".pt":
            return bool(checkpoint.load(path).metadata)  # which checks every byte by its CRC
        case ".onnx":
            return onnx.load(path).graph == onnx.load(good).graph
        case ".html":
            return path.read_text().endswith("</html>\n")
        case ".csv":  # a run's history, at some epoch
            return path.read_text().endswith("\n")
        case ".png":
            Image.open(path).load()
            return True
    return False


@pytest.fixture(scope="module")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with images and old outputs; `server` adds a run and its model."""
    folder = tmp_path_factory.mktemp("furnished")
    random = np.random.default_rng(0)
    rows = np.column_stack([np.arange(40) % 10, random.integers(0, 256, (40, 784))])
    lines = [",".join(["label", *PIXELS]), *(",".join(map(str, row)) for row in rows)]
    (folder / "a.csv").write_text("\n".join(lines) + "\n")
    for name in ("r.html", "c.png", "p.csv", "model.onnx"):
        (folder / name).write_text("old")
    return folder


@pytest.fixture(scope="module")
def server(furnished: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ForkServer]:
    model, run = str(furnished / "model.pt"), str(furnished / "run")
    with fork_server(
        tmp_path_factory.mktemp("server"), prepare="tests.proof.small_mirror:use_small_files"
    ) as started:
        train = (*TRAIN, "-o", model, "--run-dir", run)
        assert started.run(*train, cwd=furnished, env=clean_environment()).returncode == 0
        yield started


Ended: TypeAlias = "subprocess.CompletedProcess[str]"
Run: TypeAlias = Callable[[Path, list[str]], Ended]
"""Runs the command in a folder, under strace with these options besides."""


@dataclass(frozen=True)
class Writing:
    """A command that writes files, and its run in which nothing failed."""

    run: Run
    places: Places
    log: Path

    @classmethod
    def counted(cls, run: Run, before: Path, log: Path) -> tuple["Writing", list[Call]]:
        """Run it in a copy of a folder; gives its calls, too."""
        places = Places(before, log.with_name("after"))
        shutil.copytree(before, places.after)
        assert run(places.after, []).returncode == 0
        assert places.faults(places.after) == []
        return cls(run, places, log), calls_below(log, places.after)

    @contextmanager
    def failed(self, call: Call, fault: str) -> Iterator[tuple[Path, Ended]]:
        """Let a call fail, in a fresh copy of the folder."""
        folder = self.log.with_name("folder")
        for _ in range(ATTEMPTS):
            shutil.rmtree(folder, ignore_errors=True)
            shutil.copytree(self.places.before, folder)
            ended = self.run(folder, call.fails(fault, folder))
            if was_injected(self.log):
                break
        else:
            pytest.fail(f"the program no longer makes this call: {call}, {fault}, {ended}")
        yield folder, ended

    def check(self, call: Call, fault: str, again: Callable[[Path], Ended]) -> None:
        """Nothing is damaged, the exit code is right, and what a kill leaves is cleared away."""
        with self.failed(call, fault) as (folder, ended):
            case = (call, fault, ended)
            assert self.places.faults(folder) == [], case
            if fault == "SIGKILL":
                assert ended.returncode == -9, case
                repeated = again(folder)
                assert repeated.returncode == 0, (case, repeated)
            else:
                assert ended.returncode == 74, case
                assert 1 <= len(ended.stderr.splitlines()) <= 3, case
                assert "Traceback" not in ended.stderr, case
            assert not list(folder.rglob(".*-tmp")), case


def traced(server: ForkServer, arguments: tuple[str, ...], log: Path) -> Run:
    """A command in a forked process."""
    return lambda folder, options: run_traced(server, arguments, folder, log, *options)


def put_in(server: ForkServer, arguments: tuple[str, ...], before: Path, tmp_path: Path) -> int:
    """Let each call of a command fail in each way; counts the cases."""
    log = tmp_path / "log"
    writing, calls = Writing.counted(traced(server, arguments, log), before, log)
    assert {"write", "fsync", "rename"} <= {call.name for call in calls}
    cases = [(call, fault) for call in calls for fault in FAULTS]
    for call, fault in cases:
        writing.check(
            call, fault, lambda folder: server.run(*arguments, cwd=folder, env=clean_environment())
        )
    return len(cases)


@pytest.mark.parametrize("name", WRITINGS)
def test_each_call_of_saving_fails(
    name: str, server: ForkServer, furnished: Path, tmp_path: Path, record: Record
) -> None:
    cases = put_in(server, WRITINGS[name], furnished, tmp_path)
    record(f"ENOSPC, EIO, SIGKILL in each call: {name}", cases, OUTCOME)


def test_a_saver_that_writes_in_place_is_caught(
    furnished: Path, tmp_path: Path, record: Record
) -> None:
    log = tmp_path / "log"
    with fork_server(tmp_path / "server", prepare="tests.proof.in_place:write_in_place") as server:
        run = traced(server, WRITINGS["train"], log)
        writing, calls = Writing.counted(run, furnished, log)
        damages = 0
        for call in calls:
            with writing.failed(call, "SIGKILL") as (folder, _):
                damages += bool(writing.places.faults(folder))
    assert damages
    record("SIGKILL, saving in place (control)", len(calls), f"{damages} damaged, as it must")


def test_each_call_of_downloading_fails(
    server: ForkServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, record: Record
) -> None:
    before = tmp_path / "before"
    before.mkdir()
    replaced = min(CONTENTS)
    (before / replaced).write_bytes(CONTENTS[replaced][:-1])
    with hostile.serve(CONTENTS) as mirror:
        arguments = ("download", "-q", "--force", "--data-dir", ".", "--mirror", mirror.url)
        cases = put_in(server, arguments, before, tmp_path)
    assert all((tmp_path / "after" / name).read_bytes() == CONTENTS[name] for name in CONTENTS)
    record("ENOSPC, EIO, SIGKILL in each call: download", cases, OUTCOME)
