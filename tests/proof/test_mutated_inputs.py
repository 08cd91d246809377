"""Tampered inputs for every parser: our errors alone, each in less than a second."""

from pathlib import Path
from random import Random

import pytest
import torch

from fmnist_cli import models
from fmnist_cli.data.image_files import MAX_PIXELS
from tests.hostile_inputs import damaged, forms, opened
from tests.proof.conftest import Record

PROOF = 5_000
MAX_SECONDS = 1.0
"""Of the proof alone: other tests keep the machine busy."""


@pytest.mark.filterwarnings("ignore::Warning:PIL")
@pytest.mark.parametrize(
    ("inputs", "max_bytes"),
    [
        (100, 100_000_000),
        # The largest picture may take as much before its content is known.
        pytest.param(PROOF, 10 * MAX_PIXELS, marks=pytest.mark.proof),
    ],
)
@pytest.mark.parametrize(
    "name", ["IDX", "CSV", "zip", "npz", "parquet", "PNG", "JPEG", "TOML", "ONNX"]
)
def test_tampered_inputs_raise_nothing_but_our_errors(
    name: str, inputs: int, max_bytes: int, tmp_path: Path, record: Record
) -> None:
    torch.set_num_threads(1)
    models.network("resnet18")  # imports torchvision, as an unknown name makes the program do
    form = next(form for form in forms(tmp_path) if form.name == name)
    for content in form.intact:
        assert not opened(form, content, tmp_path / "input").was_refused
    random = Random(f"proof {name}")
    refused = 0
    most_seconds, most_bytes = 0.0, 0
    for _ in range(inputs):
        outcome = opened(form, damaged(form, random), tmp_path / "input")
        refused += outcome.was_refused
        most_seconds = max(most_seconds, outcome.seconds)
        most_bytes = max(most_bytes, outcome.extra_bytes)
    assert refused > inputs / 3
    assert most_bytes < max_bytes
    if inputs >= PROOF:
        assert refused < inputs
        assert most_seconds < MAX_SECONDS
    record(
        f"tampered {name} inputs",
        inputs,
        f"{refused:,} refused, the others read; 0 other errors, {most_seconds:.2f} s and "
        f"{most_bytes / 1e6:.0f} MB at most",
    )
