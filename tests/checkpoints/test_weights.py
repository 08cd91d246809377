"""A run can start from weights: ours, torchvision's, the course's."""

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


def test_a_gray_picture_gives_what_its_three_equal_colors_gave() -> None:
    source = torchvision.models.resnet18(weights=None).eval()
    model = models.build("resnet18").eval()
    source.fc = models.head_of(model)[1]
    model.load_state_dict(model.adapt(source.state_dict()))  # type: ignore[operator]
    source.conv1.stride = (1, 1)
    gray = torch.randn(2, 1, 28, 28)
    assert torch.allclose(model(gray), source(gray.expand(-1, 3, -1, -1)), atol=1e-4)


def test_our_own_file_and_the_courses_state_dict_fit(tmp_path: Path) -> None:
    source = models.build("tutorial")
    checkpoint.save(tmp_path / "ours.pt", source.state_dict(), METADATA)
    torch.save(source.state_dict(), tmp_path / "course.pt")
    for name in ("ours.pt", "course.pt"):
        model = models.build("tutorial")
        weights.start_from(model, "tutorial", str(tmp_path / name))
        assert_same(model.state_dict(), source.state_dict())


def test_what_does_not_fit_is_refused(tmp_path: Path) -> None:
    torch.save(models.build("convnet").state_dict(), tmp_path / "other.pt")
    torch.save(models.build("tutorial"), tmp_path / "whole.pt")
    with pytest.raises(CheckpointError, match="does not fit the network 'tutorial'"):
        weights.start_from(models.build("tutorial"), "tutorial", str(tmp_path / "other.pt"))
    with pytest.raises(CheckpointError, match="could run code"):
        weights.start_from(models.build("tutorial"), "tutorial", str(tmp_path / "whole.pt"))
    with pytest.raises(MissingInput):
        weights.start_from(models.build("tutorial"), "tutorial", str(tmp_path / "none.pt"))
    with pytest.raises(UsageError, match="torchvision --model"):
        weights.start_from(models.build("tutorial"), "tutorial", "imagenet")


def test_a_frozen_backbone_stays_and_the_head_moves() -> None:
    made = trainer(model="convnet", weights="given", freeze_backbone=True, epochs=1)
    before = weights_of(made)
    list(made.fit())
    after = weights_of(made)
    for name, value in before.items():
        assert torch.equal(after[name], value) != name.startswith("head."), name
