"""Errors of a device: operations that `--deterministic` forbids, too little memory."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from fmnist_cli import models
from fmnist_cli.errors import CheckFailed, Unavailable
from fmnist_cli.inference.torch_devices import device_errors
from fmnist_cli.training.options import TrainConfig
from fmnist_cli.training.run import train


def test_an_operation_without_a_deterministic_form(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    build = models.build

    def build_with_put(*given: Any, **options: Any) -> nn.Module:
        network, zero = build(*given, **options), torch.zeros(1)
        network.register_forward_pre_hook(lambda _, x: x[0].clone().put_(zero.long(), zero))
        return network

    monkeypatch.setattr(models, "build", build_with_put)
    config = TrainConfig(data="sample:100", epochs=1)
    folder = tmp_path / "run"
    assert len(list(train(config, output=tmp_path / "model.pt", run_dir=folder))) == 1
    config = replace(config, deterministic=True)
    try:
        with pytest.raises(Unavailable, match=r"^put_ has no deterministic form on cpu\nleave"):
            list(train(config, output=tmp_path / "model.pt", run_dir=folder))
    finally:
        torch.use_deterministic_algorithms(mode=False)


CUBLAS = (
    "Deterministic behavior was enabled with either `torch.use_deterministic_algorithms(True)` "
    "or `at::Context::setDeterministicAlgorithms(true)`, but this operation is not "
    "deterministic because it uses CuBLAS and you have CUDA >= 10.2."
)


@pytest.mark.parametrize(
    ("raised", "error", "message"),
    [
        (RuntimeError("a shape"), RuntimeError, "^a shape$"),
        (RuntimeError(CUBLAS), Unavailable, "^an operation has no deterministic form on cuda:0"),
        (
            torch.OutOfMemoryError("CUDA out of memory"),
            CheckFailed,
            "cuda:0 has .* batches of 48 images; try --batch-size 24",
        ),
    ],
)
def test_what_becomes_of_torchs_errors(
    raised: Exception, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message), device_errors(torch.device("cuda:0"), 48):
        raise raised
