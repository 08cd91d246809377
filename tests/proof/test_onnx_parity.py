"""Parity on all 10,000 official test images, of which no label is read."""

from pathlib import Path

import pytest

from fmnist_cli.constants import TEST_IMAGES
from fmnist_cli.data.idx import read_images
from fmnist_cli.export.parity import check_parity
from fmnist_cli.inference.loading import load
from fmnist_cli.inference.onnx_backend import OnnxClassifier
from tests.written_models import write_checkpoint, write_onnx


@pytest.mark.proof
@pytest.mark.parametrize("name", ["tutorial", "convnet"])
def test_all_test_images(name: str, mirror: Path, tmp_path: Path) -> None:
    images = read_images(mirror / TEST_IMAGES.name)
    reference = load(write_checkpoint(tmp_path / "model.pt", name), device="cpu")
    exported = OnnxClassifier(write_onnx(tmp_path / "model.onnx", name), device="cpu")
    parity = check_parity(reference, exported, images, "test split")
    assert parity.images == 10_000
    assert parity.labels_differ <= 2, "images whose two best classes are all but equal"
