"""One call over any number of images, and the choice of the backend by content."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from fmnist_cli.data.images import Images
from fmnist_cli.errors import (
    CheckFailed,
    CheckpointError,
    DataError,
    MissingInput,
    Unavailable,
    UsageError,
)
from fmnist_cli.inference.classifier import Classifier, Probabilities
from fmnist_cli.inference.loading import load


class BrightestColumn(Classifier):
    """The share of an image's brightness that each of its first ten columns has."""

    backend = "torch"
    batch_size = 4

    def __init__(self) -> None:
        super().__init__(Path("columns.pt"), None)
        self.batches: list[int] = []

    def _classify(self, images: Images) -> Probabilities:
        self.batches.append(len(images))
        columns = images[:, :, :10].sum(axis=1, dtype=np.float32) + 1
        shares: Probabilities = columns / columns.sum(axis=1, keepdims=True)
        return shares


def drawn(count: int) -> Images:
    return np.random.default_rng(0).integers(0, 256, (count, 28, 28), np.uint8)


@pytest.mark.parametrize(("count", "batches"), [(0, []), (1, [1]), (4, [4]), (9, [4, 4, 1])])
def test_any_number_goes_through_in_batches(count: int, batches: list[int]) -> None:
    images, classifier = drawn(count), BrightestColumn()
    probabilities = classifier(images)
    assert classifier.batches == batches
    assert probabilities.shape == (count, 10)
    one_by_one = [classifier(image[None])[0] for image in images]
    np.testing.assert_array_equal(probabilities, np.array(one_by_one).reshape(count, 10))


def test_tta_averages_an_image_and_its_mirror_image() -> None:
    images, classifier = drawn(3), BrightestColumn()
    expected = (classifier(images) + classifier(images[:, :, ::-1])) / 2
    np.testing.assert_array_equal(classifier(images, tta=True), expected)
    assert not np.array_equal(classifier(images), expected)


@pytest.mark.parametrize(
    "images", [np.zeros((1, 28, 28), np.float32), np.zeros((1, 32, 32), np.uint8)]
)
def test_other_shapes_and_dtypes_are_refused(images: Images) -> None:
    with pytest.raises(DataError, match=r"expected uint8 \[N, 28, 28\]"):
        BrightestColumn()(images)


def test_probabilities_that_are_not_finite_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BrightestColumn, "_classify", lambda *_: np.nan)
    with pytest.raises(CheckFailed, match="not finite"):
        BrightestColumn()(drawn(1))


ZIP = b"PK\x03\x04 no more"


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        *(
            ("model.pt", content, "not a model")
            for content in (b"", b"PK", b"\x80\x02.", b"<html>")
        ),
        *((name, ZIP, "zip") for name in ("model.pt", "model.onnx")),  # whatever its name
    ],
)
def test_content_decides_on_the_backend(
    tmp_path: Path, name: str, content: bytes, reason: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(CheckpointError, match=reason):
        load(tmp_path / name)


def test_a_missing_model_names_the_command_that_makes_one(tmp_path: Path) -> None:
    with pytest.raises(MissingInput, match=rf"fmnist train --output {tmp_path}/model\.pt"):
        load(tmp_path / "model.pt")


def test_reduced_precision_is_refused_for_onnx(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(b"\x08\x08")
    with pytest.raises(UsageError, match="--precision bf16"):
        load(path, precision="bf16")


def test_a_missing_backend_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "model.pt"
    path.write_bytes(ZIP)
    monkeypatch.delitem(sys.modules, "fmnist_cli.inference.torch_backend", raising=False)
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(Unavailable, match="pip install torch"):
        load(path)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"precision": "x"}, "--precision is 'x'; expected auto, fp32, bf16, fp16"),
        ({"threads": 0}, "--threads is 0; expected at least 1"),
        ({"network": torch.nn.Linear}, "network is the class Linear; expected one that is built"),
        ({"network": "tutorial", "classes": ("a", "a")}, "classes are a, a; expected different"),
        ({"device": None}, "no device is called 'None'"),
    ],
)
def test_what_load_can_not_use_is_named(options: dict[str, Any], reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        load("pretrained", **options)


def test_a_device_may_be_torchs_own() -> None:
    assert load("pretrained", device=torch.device("cpu"))(drawn(1)).shape == (1, 10)
