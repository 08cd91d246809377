"""What is recorded of a model's origin, and what follows from it."""

from pathlib import Path

import pytest

from fmnist_cli.checkpoints.metadata import DataRecord
from fmnist_cli.training.run_data import has_seen_validation
from tests.cli.conftest import Program
from tests.written_models import write_checkpoint

FINGERPRINT = "0" * 16
"""Of the data that a written model names."""


def record(fingerprint: str, val_size: int) -> DataRecord:
    return DataRecord("data.csv", None, "csv", fingerprint, 250, val_size, 0)


@pytest.mark.parametrize(
    ("weights_val_size", "fingerprint", "val_size", "seen"),
    [
        (0, FINGERPRINT, 50, True),
        (100, FINGERPRINT, 50, True),
        (50, FINGERPRINT, 50, False),  # the same part is held out of both
        (0, "1" * 16, 50, False),
        (0, FINGERPRINT, 0, False),
    ],
)
def test_weights_that_know_the_validation_images(
    weights_val_size: int, fingerprint: str, val_size: int, seen: bool, tmp_path: Path
) -> None:
    path = write_checkpoint(tmp_path / "m.pt", val_size=weights_val_size)
    assert has_seen_validation(str(path), record(fingerprint, val_size)) is seen


@pytest.mark.parametrize("weights", ["imagenet", "gone.pt"])
def test_weights_that_record_no_data(weights: str) -> None:
    assert not has_seen_validation(weights, record(FINGERPRINT, 50))


def test_the_program_warns(fmnist: Program, trained_model: Path) -> None:
    start = ("train", "-q", "--weights", trained_model, "--model", "tutorial", "--epochs", "1")
    data = ("--data", "sample:600", "--batch-size", "50", "--val-size")
    assert "some of the validation images" in fmnist(*start, *data, "50").stderr
    assert fmnist(*start, *data, "100").stderr == ""
