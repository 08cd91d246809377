"""Model files for tests: networks with fresh weights, written in seconds or less."""

from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import nn

from fmnist_cli import models
from fmnist_cli.checkpoints import checkpoint
from fmnist_cli.checkpoints.metadata import DataRecord, Metrics, ModelMetadata, NetworkRecord
from fmnist_cli.data.normalization import Normalization
from fmnist_cli.export.graph import build_graph
from tests.sample_images import draw

DATA = "sample:300"
"""What the files record as their training data."""


@cache
def network(name: str = "tutorial") -> nn.Module:
    """A network whose weights and norms look trained: none of them is where it starts.

    Those of our own also tell pictures apart: their logits vary around 0 from one to another.
    """
    torch.manual_seed(0)
    built = models.build(name)
    with torch.no_grad():
        for module in built.modules():
            if isinstance(module, nn.BatchNorm2d):
                assert module.running_mean is not None
                assert module.running_var is not None
                module.running_mean.normal_(0.0, 0.2)
                module.running_var.uniform_(0.5, 1.5)
                module.weight.uniform_(0.5, 1.5)
                module.bias.normal_(0.0, 0.2)
    built.eval()
    if name in models.NETWORKS:
        _spread_logits(built, models.network(name).normalization)
    return built


@torch.no_grad()
def _spread_logits(network: nn.Module, normalization: Normalization) -> None:
    logits = network(torch.from_numpy(normalization.apply(draw(200, "train").images)))
    head = models.head_of(network)[1]
    assert isinstance(head, nn.Linear)
    # Bounded, for rounding errors of the layers below grow by the same factors.
    factors = (2 / logits.std(dim=0)).clamp(max=20)
    head.bias.copy_((head.bias - logits.mean(dim=0)) * factors)
    head.weight.mul_(factors[:, None])


def metadata(name: str = "tutorial", *, val_size: int = 100) -> ModelMetadata:
    """What a training run would record."""
    parameters = models.count_parameters(models.build(name))
    return ModelMetadata(
        network=NetworkRecord(name, parameters=parameters),
        normalization=models.network(name).normalization,
        recipe="tutorial",
        config={},
        data=DataRecord(DATA, None, "sample", "0" * 16, 300 - val_size, val_size, 0),
        metrics=Metrics(val_accuracy=0.5, val_loss=1.0, epoch=1, epochs=1, seconds=1.0),
        versions={"fmnist": "0", "torch": "0", "python": "0"},
        created_at="2000-01-01T00:00:00+00:00",
    )


def write_checkpoint(path: Path, name: str = "tutorial", *, val_size: int = 100) -> Path:
    """Write a `.pt`; returns its path."""
    checkpoint.save(path, network(name).state_dict(), metadata(name, val_size=val_size))
    return path


def write_onnx(path: Path, name: str = "tutorial", **options: Any) -> Path:
    """Write an `.onnx` without checking parity; returns its path."""
    path.write_bytes(_onnx_bytes(name, **options))
    return path


@cache
def _onnx_bytes(name: str, **options: Any) -> bytes:
    """An exported network; the exporter takes seconds."""
    content: bytes = build_graph(network(name), metadata(name), **options).SerializeToString()
    return content
