"""A `.pt` file through the classifier equals its network called by hand."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import fmnist_cli
from fmnist_cli import models
from fmnist_cli.checkpoints import checkpoint
from fmnist_cli.checkpoints.archive import read_metadata
from fmnist_cli.checkpoints.metadata import ModelMetadata, NetworkRecord
from fmnist_cli.data.normalization import Normalization
from fmnist_cli.errors import Unavailable, UsageError
from fmnist_cli.inference.loading import load


@pytest.fixture
def model_file(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    path = tmp_path / "model.pt"
    network = NetworkRecord("tutorial")
    metadata = ModelMetadata(network, Normalization.STANDARD, recipe="tutorial")
    checkpoint.save(path, models.build("tutorial").state_dict(), metadata)
    return path


@pytest.fixture
def images() -> np.ndarray[Any, np.dtype[np.uint8]]:
    return np.random.default_rng(0).integers(0, 256, (300, 28, 28), np.uint8)


def test_it_gives_the_network_s_softmax(model_file: Path, images: Any) -> None:
    loaded = checkpoint.load(model_file)
    with torch.inference_mode():
        logits = loaded.model(torch.from_numpy(loaded.metadata.normalization.apply(images)))
    probabilities = load(model_file, device="cpu")(images)
    assert probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities, logits.softmax(1).numpy(), atol=1e-6)


def test_the_package_offers_load(model_file: Path, images: Any) -> None:
    classifier = fmnist_cli.load(str(model_file), device="cpu", threads=1)
    assert classifier.backend == "torch"
    assert classifier.path == model_file
    assert classifier.metadata == read_metadata(model_file)
    np.testing.assert_allclose(classifier(images).sum(axis=1), 1, atol=1e-5)


def test_bf16_is_near_and_not_the_same(model_file: Path, images: Any) -> None:
    full = load(model_file, device="cpu")(images)
    reduced = load(model_file, device="cpu", precision="bf16")(images)
    np.testing.assert_allclose(reduced, full, atol=0.02)
    assert not np.array_equal(reduced, full)


def test_devices_and_precisions_that_are_not_there_are_refused(model_file: Path) -> None:
    with pytest.raises(UsageError, match="no device is called"):
        load(model_file, device="tpu")
    with pytest.raises(Unavailable, match="fp16"):
        load(model_file, device="cpu", precision="fp16")
