"""The wide residual network, narrow here: it learns, and it is the width it says."""

from functools import partial

import pytest
import torch

from fmnist_cli import models
from fmnist_cli.models.registry import NETWORKS, Network
from fmnist_cli.models.resnet import WideResNet
from tests.training.small import trainer


def test_groups_halve_the_picture_and_widen() -> None:
    network = WideResNet(widths=(8, 16, 32), blocks=1)
    shapes = []
    for block in network.features[-3:]:
        block.register_forward_hook(lambda _block, _images, found: shapes.append(found.shape[1:]))
    network(torch.randn(2, 1, 28, 28))
    assert shapes == [(8, 28, 28), (16, 14, 14), (32, 7, 7)]


def test_a_narrow_one_learns_as_the_recipe_trains(monkeypatch: pytest.MonkeyPatch) -> None:
    narrow = partial(WideResNet, (8, 16, 32), 1)
    monkeypatch.setitem(NETWORKS, "narrow", Network(narrow))
    made = trainer(
        n=512,
        model="narrow",
        epochs=4,
        optimizer="sgd",
        lr=0.1,
        weight_decay=5e-4,
        schedule="linear",
        warmup=1.0,
        ema=0.9,
        label_smoothing=0.1,
    )
    accuracy = [result.val_accuracy for result in made.fit()][-1]
    assert accuracy is not None
    assert accuracy > 0.8


def test_its_size_is_the_recipes() -> None:
    assert models.count_parameters(models.build("wideresnet")) == 11_024_842
