"""Thousands of tampered inputs for every parser: our errors alone, each in less than a second."""

from pathlib import Path
from random import Random

import pytest
import torch

from fmnist_cli import models
from fmnist_cli.data.image_files import MAX_PIXELS
from tests.hostile_inputs import damaged, forms, opened
from tests.proof.conftest import Record

pytestmark = [pytest.mark.proof, pytest.mark.filterwarnings("ignore::Warning:PIL")]

INPUTS = 5_000
MOST_SECONDS = 1.0
MOST_BYTES = 10 * MAX_PIXELS
"""What the largest picture may take, which is so much memory before its content is known."""


@pytest.mark.parametrize(
    "name", ["IDX", "CSV", "zip", "npz", "parquet", "PNG", "JPEG", "TOML", "ONNX"]
)
def test_five_thousand_tampered_inputs(name: str, tmp_path: Path, record: Record) -> None:
    torch.set_num_threads(1)
    models.network("resnet18")  # what a name that is none of ours makes the program import
    form = next(form for form in forms(tmp_path) if form.name == name)
    if not form.intact:
        pytest.skip("no package that reads it")
    for content in form.intact:
        assert not opened(form, content, tmp_path / "input").was_refused
    random = Random(f"proof {name}")
    refused = 0
    most_seconds, most_bytes = 0.0, 0
    for _ in range(INPUTS):
        outcome = opened(form, damaged(form, random), tmp_path / "input")
        refused += outcome.was_refused
        most_seconds = max(most_seconds, outcome.seconds)
        most_bytes = max(most_bytes, outcome.extra_bytes)
    assert INPUTS / 3 < refused < INPUTS
    assert most_seconds < MOST_SECONDS
    assert most_bytes < MOST_BYTES
    record(
        f"tampered {name} inputs",
        INPUTS,
        f"{refused:,} refused, the others read; 0 other errors, {most_seconds:.2f} s and "
        f"{most_bytes / 1e6:.0f} MB at most",
    )
