"""Tampered inputs of every parser: refused in our own words, or read. The proof has thousands."""

import time
from pathlib import Path
from random import Random

import pytest

from fmnist_cli import models
from tests.hostile_inputs import Form, forms, judge, spoil

ROUNDS = 60
MOST_BYTES = 100_000_000


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Form]:
    models.network("resnet18")  # what a name that is none of ours makes the program import
    return {form.name: form for form in forms(tmp_path_factory.mktemp("inputs"))}


@pytest.mark.filterwarnings("ignore::Warning:PIL")
@pytest.mark.parametrize(
    "name", ["IDX", "CSV", "zip", "npz", "parquet", "PNG", "JPEG", "TOML", "ONNX"]
)
def test_tampered_inputs_raise_nothing_but_our_errors(
    found: dict[str, Form], name: str, tmp_path: Path
) -> None:
    form, random = found[name], Random(name)
    if not form.sounds:
        pytest.skip("no package that reads it")
    for sound in form.sounds:
        assert not judge(form, sound, tmp_path / "input", time.perf_counter).was_refused
    judged = [
        judge(form, spoil(form, random), tmp_path / "input", time.perf_counter)
        for _ in range(ROUNDS)
    ]
    assert sum(one.was_refused for one in judged) > ROUNDS / 3
    assert max(one.extra_bytes for one in judged) < MOST_BYTES
