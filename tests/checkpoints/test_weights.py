"""A run can start from weights: ours and torchvision's; `test_state_dicts` has everyone's."""

from pathlib import Path

import pytest
import torch
import torchvision

from fmnist_cli import models
from fmnist_cli.checkpoints import checkpoint, weights
from fmnist_cli.errors import CheckpointError, MissingInput, UsageError
from tests.checkpoints.test_checkpoint import METADATA
from tests.training.small import assert_same, trainer, weights_of


def test_torchvisions_weights_fit_but_for_the_head(tmp_path: Path) -> None:
    source = torchvision.models.resnet18(weights=None)  # a thousand classes, three colors
    torch.save(source.state_dict(), tmp_path / "resnet18.pth")
    model = models.build("resnet18")
    fresh = model.state_dict()["network.fc.weight"].clone()
    weights.start_from(model, "resnet18", str(tmp_path / "resnet18.pth"))
    assert torch.equal(model.state_dict()["network.fc.weight"], fresh)
    own, theirs = model.state_dict(), source.state_dict()
    for name, tensor in theirs.items():
        if name == "conv1.weight":
            assert torch.equal(own["network.conv1.weight"], tensor.sum(1, keepdim=True))
        elif not name.startswith("fc."):
            assert torch.equal(own[f"network.{name}"], tensor), name


def test_a_model_file_fits(tmp_path: Path) -> None:
    source, model = models.build("tutorial"), models.build("tutorial")
    checkpoint.save(tmp_path / "ours.pt", source.state_dict(), METADATA)
    weights.start_from(model, "tutorial", str(tmp_path / "ours.pt"))
    assert_same(model.state_dict(), source.state_dict())


def test_what_does_not_fit_is_refused(tmp_path: Path) -> None:
    model = models.build("tutorial")
    torch.save(models.build("convnet").state_dict(), tmp_path / "other.pt")
    torch.save(model, tmp_path / "whole.pt")
    for source, kind, reason in (
        (str(tmp_path / "other.pt"), CheckpointError, "does not fit the network 'tutorial'"),
        (str(tmp_path / "whole.pt"), CheckpointError, "could run code"),
        (str(tmp_path / "none.pt"), MissingInput, "no weights at"),
        ("imagenet", UsageError, "torchvision --model"),
    ):
        with pytest.raises(kind, match=reason):
            weights.start_from(model, "tutorial", source)


def test_a_frozen_backbone_stays_and_the_head_moves() -> None:
    made = trainer(model="convnet", weights="given", freeze_backbone=True, epochs=1)
    before = weights_of(made)
    list(made.fit())
    after = weights_of(made)
    for name, value in before.items():
        assert torch.equal(after[name], value) != name.startswith("head."), name
