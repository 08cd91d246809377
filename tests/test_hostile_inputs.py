"""Tampered inputs of every parser: refused by an error of the program, or read.

The proof has thousands.
"""

from pathlib import Path
from random import Random

import pytest

from fmnist_cli import models
from tests.hostile_inputs import Form, damaged, forms, opened

ROUNDS = 100
MOST_BYTES = 100_000_000


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Form]:
    models.network("resnet18")  # imported for names of torchvision's networks
    return {form.name: form for form in forms(tmp_path_factory.mktemp("inputs"))}


@pytest.mark.filterwarnings("ignore::Warning:PIL")
@pytest.mark.parametrize(
    "name", ["IDX", "CSV", "zip", "npz", "parquet", "PNG", "JPEG", "TOML", "ONNX"]
)
def test_tampered_inputs_raise_no_other_errors(
    found: dict[str, Form], name: str, tmp_path: Path
) -> None:
    form, random = found[name], Random(name)
    if not form.intact:
        pytest.skip("the package that reads it is missing")
    for content in form.intact:
        assert not opened(form, content, tmp_path / "input").was_refused
    outcomes = [opened(form, damaged(form, random), tmp_path / "input") for _ in range(ROUNDS)]
    assert sum(outcome.was_refused for outcome in outcomes) > ROUNDS / 3
    assert max(outcome.extra_bytes for outcome in outcomes) < MOST_BYTES
