"""`--deterministic`: what torch refuses is told in words, with a stand-in for a CUDA operation."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from fmnist_cli.errors import CheckFailed, Unavailable
from fmnist_cli.inference.torch_devices import device_errors

_TRAINED = """
import sys, torch
from fmnist_cli import models
from fmnist_cli.__main__ import main

def placed(_network, given):
    return given[0].clone().put_(torch.tensor([0]), torch.zeros(1))  # refused on CPUs, too

def build(*given, **options):
    network = build_network(*given, **options)
    network.register_forward_pre_hook(placed)
    return network

build_network, models.build = models.build, build
sys.argv = ["fmnist", "train", *sys.argv[1:]]
main()
"""


@pytest.mark.parametrize("is_refused", [pytest.param(False, marks=pytest.mark.proof), True])
def test_a_network_without_a_deterministic_form(tmp_path: Path, is_refused: bool) -> None:
    options = ["--data", "sample:100", "--model", "tutorial", "--epochs", "1", "--device", "cpu"]
    done = subprocess.run(
        [sys.executable, "-c", _TRAINED, *options, *["--deterministic"][: int(is_refused)]],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    if not is_refused:
        assert done.returncode == 0, done.stderr
        return
    assert done.returncode == Unavailable.exit_code, done.stderr
    first, second = done.stderr.splitlines()
    assert first.startswith("error: put_")
    assert first.endswith("has no deterministic form on cpu")
    assert "--deterministic" in second


def test_other_faults_stay_what_they_are() -> None:
    with (
        pytest.raises(RuntimeError, match="shape"),
        device_errors(torch.device("cpu"), 8),
    ):
        torch.zeros(3).view(2)


def test_cublas_is_refused_in_other_words() -> None:
    said = (
        "Deterministic behavior was enabled with either `torch.use_deterministic_algorithms(True)` "
        "or `at::Context::setDeterministicAlgorithms(true)`, but this operation is not "
        "deterministic because it uses CuBLAS and you have CUDA >= 10.2."
    )
    with (
        pytest.raises(Unavailable, match=r"^an operation has no deterministic form on cuda:0"),
        device_errors(torch.device("cuda:0"), 8),
    ):
        raise RuntimeError(said)


def test_too_little_memory_suggests_a_smaller_batch() -> None:
    with (
        pytest.raises(CheckFailed, match=r"cpu has .* batches of 48 images; try --batch-size 24"),
        device_errors(torch.device("cpu"), 48),
    ):
        raise torch.OutOfMemoryError("CUDA out of memory")
