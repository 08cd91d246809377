"""Several processes train one model: the same curve, one set of files, one clear end."""

import csv
import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Program, clean_environment, start, wait_for_epochs
from tests.platforms import LINUX, POSIX

pytestmark = POSIX

OPTIONS = (
    *("train", "--data", "sample:600", "--model", "tutorial", "--dropout", "0"),
    *("--augment", "flip,shift:1", "--batch-size", "50", "--lr", "0.02", "--warmup", "0"),
    *("--precision", "fp32", "--threads", "1", "--prune", "0.5", "--freeze-stem", "1"),
)


def losses(folder: Path) -> list[float]:
    rows = csv.DictReader((folder / "history.csv").open())
    return [float(row[name]) for row in rows for name in ("train_loss", "val_loss")]


def run(fmnist: Program, folder: Path, name: str, *more: str) -> None:
    places = ("-o", f"{name}.pt", "--run-dir", name)
    done = fmnist(*OPTIONS, "--epochs", "2", *places, *more)
    assert done.stdout == f"{name}.pt\n"
    assert done.stderr.count("epoch 2/2") == 1


def test_two_processes_learn_as_one(fmnist: Program, tmp_path: Path) -> None:
    run(fmnist, tmp_path, "one")
    run(fmnist, tmp_path, "two", "--nproc", "2")
    assert losses(tmp_path / "two") == pytest.approx(losses(tmp_path / "one"), rel=1e-4)


def test_seeds_in_several_processes_are_reported_together(fmnist: Program, tmp_path: Path) -> None:
    series = ("--epochs", "1", "--nproc", "2", "--seeds", "0-1", "--run-dir", "series")
    done = fmnist(*OPTIONS, *series, cwd=tmp_path)
    assert done.stdout == "model-seed0.pt\nmodel-seed1.pt\n"
    assert "\n2 seeds: val accuracy" in done.stderr
    assert "1 seed:" not in done.stderr


@pytest.mark.proof
def test_a_resumed_series_in_several_processes_goes_on(fmnist: Program, tmp_path: Path) -> None:
    series = ("--epochs", "1", "--nproc", "2", "--seeds", "0-1", "--run-dir", "series")
    done = fmnist(*OPTIONS, *series, cwd=tmp_path)
    paths = done.stdout
    expected = losses(tmp_path / "series" / "seed1")
    shutil.rmtree(tmp_path / "series" / "seed1")
    (tmp_path / "model-seed1.pt").unlink()
    done = fmnist("train", "--resume", "series/seed0", cwd=tmp_path)
    assert done.stdout == paths
    assert "\n2 seeds: val accuracy" in done.stderr
    assert losses(tmp_path / "series" / "seed1") == pytest.approx(expected, rel=1e-4)


@pytest.mark.proof
def test_two_launchers_learn_as_one(fmnist: Program, tmp_path: Path) -> None:
    run(fmnist, tmp_path, "one")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    launch = (
        *(sys.executable, "-m", "torch.distributed.run", "--nnodes", "2", "--nproc-per-node", "1"),
        *("--rdzv-backend", "c10d", "--rdzv-endpoint", f"127.0.0.1:{port}", "--rdzv-id", "test"),
        *("-m", "fmnist_cli", *OPTIONS, "--epochs", "2", "-o", "nodes.pt", "--run-dir", "nodes"),
    )
    launchers = [
        subprocess.Popen(
            launch, cwd=tmp_path, env=clean_environment(), stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    printed = sorted(launcher.communicate(timeout=120)[0] for launcher in launchers)
    assert [launcher.returncode for launcher in launchers] == [0, 0]
    assert printed == ["", "nodes.pt\n"]
    assert losses(tmp_path / "nodes") == pytest.approx(losses(tmp_path / "one"), rel=1e-4)


def two_at_work(folder: Path) -> "subprocess.Popen[str]":
    """A run of two processes in `r`, its first epoch done."""
    training = ("--epochs", "500", "--nproc", "2", "--run-dir", "r")
    running = start(*OPTIONS, *training, cwd=folder)
    wait_for_epochs(running, folder / "r/history.csv", 1)
    return running


@pytest.mark.proof
def test_a_signal_ends_them_all(tmp_path: Path) -> None:
    running = two_at_work(tmp_path)
    running.send_signal(signal.SIGTERM)
    out, err = running.communicate(timeout=60)
    assert (running.returncode, out) == (143, "")
    lines = [line for line in err.splitlines() if not line.startswith("epoch ")]
    assert lines == [
        "error: stopped; to go on: fmnist train --resume r",
        "error: the 2 training processes have ended",
    ]


@LINUX
@pytest.mark.proof
def test_a_process_that_dies_ends_the_others(fmnist: Program, tmp_path: Path) -> None:
    running = two_at_work(tmp_path)
    children = Path(f"/proc/{running.pid}/task/{running.pid}/children").read_text().split()
    victims = [
        pid for pid in children if b"fmnist_cli" in Path(f"/proc/{pid}/cmdline").read_bytes()
    ]
    os.kill(int(victims[-1]), signal.SIGKILL)
    out, err = running.communicate(timeout=60)
    assert running.returncode == 70
    assert out == ""
    assert "was killed by signal 9; the others were ended" in err
    assert "Traceback" not in err
    assert not (tmp_path / "model.pt").exists()
    fmnist("train", "-q", "--resume", "r", "--nproc", "1", "--epochs", "2")
