"""Training and classifying from Python, as the package's docstring shows."""

from pathlib import Path

import numpy as np
import pytest

import fmnist_cli
from fmnist_cli import configure, load, train
from fmnist_cli.data.sources import open_source


def test_train_and_load(tmp_path: Path) -> None:
    config = configure(data="sample:600", model="tutorial", epochs=2, batch_size=50, threads=1)
    results = list(train(config, output=tmp_path / "m.pt", run_dir=tmp_path / "run"))
    assert [result.epoch for result in results] == [1, 2]
    test = open_source("sample:600").read("test")
    probabilities = load(tmp_path / "m.pt")(test.images)
    assert probabilities.shape == (500, 10)
    assert probabilities.dtype == np.float32
    assert np.allclose(probabilities.sum(1), 1, atol=1e-5)


def test_what_is_not_there_is_an_attribute_error() -> None:
    assert fmnist_cli.__version__
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        fmnist_cli.nothing  # noqa: B018
