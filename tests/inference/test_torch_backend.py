"""A `.pt` file through the classifier equals its network called by hand."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import fmnist_cli
from fmnist_cli.checkpoints import checkpoint
from fmnist_cli.checkpoints.archive import read_metadata
from fmnist_cli.errors import Unavailable
from fmnist_cli.inference.loading import load
from tests.written_models import write_checkpoint


@pytest.fixture
def model_file(tmp_path: Path) -> Path:
    return write_checkpoint(tmp_path / "model.pt", "convnet")


@pytest.fixture
def images() -> np.ndarray[Any, np.dtype[np.uint8]]:
    return np.random.default_rng(0).integers(0, 256, (300, 28, 28), np.uint8)


def test_it_gives_the_network_s_softmax(model_file: Path, images: Any) -> None:
    loaded = checkpoint.load(model_file)
    with torch.inference_mode():
        logits = loaded.model(torch.from_numpy(loaded.metadata.normalization.apply(images)))
    classifier = fmnist_cli.load(str(model_file), device="cpu", threads=1)
    assert (classifier.backend, classifier.path) == ("torch", model_file)
    assert classifier.metadata == read_metadata(model_file)
    probabilities = classifier(images)
    assert probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities, logits.softmax(1).numpy(), atol=1e-5)


def test_bf16_is_near_and_not_the_same_and_fp16_needs_a_gpu(model_file: Path, images: Any) -> None:
    full = load(model_file, device="cpu")(images)
    reduced = load(model_file, device="cpu", precision="bf16")(images)
    np.testing.assert_allclose(reduced, full, atol=0.02)
    assert not np.array_equal(reduced, full)
    with pytest.raises(Unavailable, match="fp16"):
        load(model_file, device="cpu", precision="fp16")
