"""ONNX files of users' own networks: float32 [N, 1, 28, 28] to logits."""

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from torch import nn

from fmnist_cli.data.normalization import Normalization
from fmnist_cli.errors import CheckpointError
from fmnist_cli.inference.loading import load
from tests.sample_images import draw

IMAGES = draw(20, "train").images


def written(
    path: Path, *, batch: int | None, softmax: bool = False, channels: int = 1
) -> nn.Module:
    """Write a small network with a free or fixed batch, as torch.onnx.export does."""
    torch.manual_seed(0)
    layers = [nn.Conv2d(channels, 4, 5, stride=4), nn.ReLU(), nn.Flatten(), nn.Linear(144, 10)]
    network = nn.Sequential(*layers, *([nn.Softmax(1)] if softmax else [])).eval()
    dynamic = ({0: torch.export.Dim("N")},) if batch is None else None
    torch.onnx.export(
        network,
        (torch.zeros(batch or 2, channels, 28, 28),),
        path,
        dynamo=True,
        dynamic_shapes=dynamic,
        external_data=False,
        input_names=["x"],
        output_names=["y"],
        verbose=False,
    )
    return network


@pytest.mark.parametrize(("batch", "softmax"), [(None, False), (7, False), (1, True)])
def test_it_agrees_with_torch(tmp_path: Path, batch: int | None, softmax: bool) -> None:
    network = written(tmp_path / "own.onnx", batch=batch, softmax=softmax)
    found = load(tmp_path / "own.onnx", normalization=Normalization.HALF)(IMAGES)
    with torch.inference_mode():
        logits = network(torch.from_numpy(Normalization.HALF.apply(IMAGES)))
        expected = logits if softmax else logits.softmax(1)
    assert np.allclose(found, expected.numpy(), atol=1e-5)


def test_what_can_not_be_used_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "own.onnx"
    written(path, batch=None)
    with pytest.raises(CheckpointError, match="add --normalization"):
        load(path)
    model = onnx.load(path)
    model.graph.node[0].domain = "their.own"
    onnx.save(model, path)
    with pytest.raises(CheckpointError, match=r"in the domain 'their\.own'"):
        load(path, normalization=Normalization.RAW)
    written(path, batch=None, channels=3)
    with pytest.raises(CheckpointError, match=r"not float32 \[N, 1, 28, 28\]"):
        load(path, normalization=Normalization.RAW)
