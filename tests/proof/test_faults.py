"""System calls that fail as files are written: what stood there stays, or the new one is whole."""

import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

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
from tests.data.small_mirror import CONTENTS
from tests.platforms import LINUX
from tests.proof.conftest import Record
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
class Writing:
    """A command that writes files, run under strace in copies of a folder."""

    server: ForkServer
    arguments: tuple[str, ...]
    before: Path
    """The folder as the command finds it."""
    scratch: Path

    @property
    def after(self) -> Path:
        """The folder as the command leaves it if nothing fails."""
        return self.scratch / "after"

    @property
    def log(self) -> Path:
        """What strace wrote about the latest run."""
        return self.scratch / "log"

    def calls(self) -> list[Call]:
        """Run it without a fault; returns its calls."""
        shutil.copytree(self.before, self.after)
        assert self._run(self.after).returncode == 0
        assert self.damaged(self.after) == []
        return calls_below(self.log, self.after)

    def fail(self, call: Call, fault: str) -> tuple[Path, "subprocess.CompletedProcess[str]"]:
        """Let a call fail, in a fresh copy of the folder."""
        folder = self.scratch / "folder"
        for _ in range(ATTEMPTS):
            shutil.rmtree(folder, ignore_errors=True)
            shutil.copytree(self.before, folder)
            ended = self._run(folder, *call.fails(fault, folder))
            if was_injected(self.log):
                return folder, ended
        pytest.fail(f"the program no longer makes this call: {call}, {fault}, {ended}")

    def damaged(self, folder: Path) -> list[str]:
        """What stands in a folder and is neither the old nor the new file, whole."""
        return [
            f"{path.relative_to(folder)}: {fault}"
            for path in sorted(folder.rglob("[!.]*"))
            if path.is_file()
            for fault in [self._fault(path, path.relative_to(folder))]
            if fault
        ]

    def fail_each_call(self) -> int:
        """Let each call fail in each way; returns the number of cases.

        Nothing is damaged, the exit code is right, and what a kill leaves is cleared away.
        """
        calls = self.calls()
        assert {"write", "fsync", "rename"} <= {call.name for call in calls}
        cases = [(call, fault) for call in calls for fault in FAULTS]
        for case in cases:
            folder, ended = self.fail(*case)
            assert self.damaged(folder) == [], (case, ended)
            if case[1] == "SIGKILL":
                assert ended.returncode == -9, (case, ended)
                again = self.server.run(*self.arguments, cwd=folder, env=clean_environment())
                assert again.returncode == 0, (case, ended, again)
            else:
                assert ended.returncode == 74, (case, ended)
                assert 1 <= len(ended.stderr.splitlines()) <= 3, (case, ended)
                assert "Traceback" not in ended.stderr, (case, ended)
            assert not list(folder.rglob(".*-tmp")), (case, ended)
        return len(cases)

    def _run(self, folder: Path, *options: str) -> "subprocess.CompletedProcess[str]":
        return run_traced(self.server, self.arguments, folder, self.log, *options)

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
    """Check a file that holds times, and so is never the same twice."""
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
        tmp_path_factory.mktemp("server"), prepare="tests.data.small_mirror:use_small_files"
    ) as started:
        train = (*TRAIN, "-o", model, "--run-dir", run)
        assert started.run(*train, cwd=furnished, env=clean_environment()).returncode == 0
        yield started


@pytest.mark.parametrize("name", WRITINGS)
def test_each_call_of_saving_fails(
    name: str, server: ForkServer, furnished: Path, tmp_path: Path, record: Record
) -> None:
    cases = Writing(server, WRITINGS[name], furnished, tmp_path).fail_each_call()
    record(f"ENOSPC, EIO, SIGKILL in each call: {name}", cases, OUTCOME)


def test_a_saver_that_writes_in_place_is_caught(
    furnished: Path, tmp_path: Path, record: Record
) -> None:
    with fork_server(tmp_path / "server", prepare="tests.proof.in_place:write_in_place") as server:
        writing = Writing(server, WRITINGS["train"], furnished, tmp_path)
        calls = writing.calls()
        damages = sum(bool(writing.damaged(writing.fail(call, "SIGKILL")[0])) for call in calls)
    assert damages
    record("SIGKILL, saving in place (control)", len(calls), f"{damages} damaged, as it must")


def test_each_call_of_downloading_fails(server: ForkServer, tmp_path: Path, record: Record) -> None:
    before = tmp_path / "before"
    before.mkdir()
    replaced = min(CONTENTS)
    (before / replaced).write_bytes(CONTENTS[replaced][:-1])
    with hostile.serve(CONTENTS) as mirror:
        arguments = ("download", "-q", "--force", "--data-dir", ".", "--mirror", mirror.url)
        writing = Writing(server, arguments, before, tmp_path)
        cases = writing.fail_each_call()
    assert all((writing.after / name).read_bytes() == CONTENTS[name] for name in CONTENTS)
    record("ENOSPC, EIO, SIGKILL in each call: download", cases, OUTCOME)
