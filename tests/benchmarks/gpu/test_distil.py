"""A student learns from other models' answers on augmented training images, and from no label."""

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from benchmarks.gpu import distil
from fmnist_cli.checkpoints import checkpoint
from fmnist_cli.data.sources import Source
from fmnist_cli.inference.classifier import load
from fmnist_cli.training.augment import Draws
from fmnist_cli.training.results import Stopped
from tests.written_models import write_checkpoint

GIVEN: dict[str, Any] = {
    "data": "synthetic:128",
    "model": "convnet-small",
    "epochs": 2,
    "batch_size": 32,
    "device": "cpu",
    "threads": 1,
    "warmup": 0.0,
}


@pytest.fixture
def teachers(tmp_path: Path) -> list[Path]:
    return [write_checkpoint(tmp_path / f"{n}.pt", n) for n in ("convnet-small", "tutorial")]


def test_targets_are_the_mean_of_the_teachers_probabilities(teachers: list[Path]) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (5, 28, 28), dtype=np.uint8)
    expected = np.mean([load(teacher, device="cpu")(pixels) for teacher in teachers], axis=0)
    taught = distil.Teachers(teachers, torch.device("cpu"), "fp32")
    images = torch.from_numpy(pixels)[:, None].float() / 255
    draws = Draws(0, torch.Generator(), 5, slice(None), 0, torch.arange(5))
    same, targets = taught(images, torch.zeros(5, dtype=torch.int64), draws)
    assert same is images
    np.testing.assert_allclose(targets.numpy(), expected, atol=1e-5)


def test_no_label_is_learnt(
    teachers: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def train(name: str) -> dict[str, torch.Tensor]:
        output = tmp_path / f"{name}.pt"
        distil.distil(teachers, output, tmp_path / name, GIVEN, 60)
        return checkpoint.load(output).model.state_dict()

    with_labels = train("with")
    read = Source.read

    def unlabeled(source: Source, split: Any) -> Any:
        found = read(source, split)
        return type(found)(found.images, np.zeros_like(found.labels))

    monkeypatch.setattr(Source, "read", unlabeled)
    without = train("without")
    for name, value in with_labels.items():
        assert torch.equal(without[name], value), name


def test_a_student_that_is_stopped_goes_on(teachers: list[Path], tmp_path: Path) -> None:
    output, run_dir = tmp_path / "s.pt", tmp_path / "run"
    with pytest.raises(Stopped):
        distil.distil(teachers, output, run_dir, GIVEN, -1)
    assert not output.exists()
    before = time.monotonic()
    seconds = distil.distil(teachers, output, run_dir, GIVEN, 60)
    assert 0 < seconds < time.monotonic() - before + 1
    whole = tmp_path / "whole.pt"
    distil.distil(teachers, whole, tmp_path / "whole", GIVEN, 60)
    expected = checkpoint.load(whole).model.state_dict()
    for name, value in checkpoint.load(output).model.state_dict().items():
        assert torch.equal(value, expected[name]), name
