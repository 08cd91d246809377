"""The packaged model is what its card says."""

import os
from pathlib import Path

import numpy as np
import pytest

from fmnist_cli import load, pretrained
from fmnist_cli.data.sources import open_source
from fmnist_cli.errors import MissingInput
from fmnist_cli.pretrained import FILE, locate


def test_the_word_is_a_name_and_a_path_is_a_file() -> None:
    assert locate("pretrained") == FILE
    assert locate(Path("pretrained")) == Path("pretrained")
    for path in (f".{os.sep}pretrained", "pretrained.pt", "Pretrained", ""):
        assert locate(path) == Path(path)


def test_an_installation_without_it_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(pretrained, "FILE", tmp_path / "gone.pt")
    with pytest.raises(MissingInput, match="lacks the packaged model") as caught:
        load("pretrained")
    assert "make pretrained" in str(caught.value)


def test_it_is_small_and_its_card_is_complete() -> None:
    assert FILE.stat().st_size < 1_500_000
    metadata = load("pretrained", device="cpu").metadata
    assert metadata is not None
    data, config, card = metadata.data, metadata.config, metadata.extra["measured"]
    assert data is not None
    assert config is not None
    assert (data.spec, data.n_train, data.val_size) == ("fashion-mnist", 60_000, 0)
    assert card["command"].startswith(f"fmnist train --recipe {config['recipe']} ")
    assert 0.5 < (metadata.temperature or 0) < 2
    assert "prepared photos" in card["trained on"]
    photos = card["photos of held-out senders"]
    assert 0.7 < photos["accuracy"] < 1
    assert (card["data"], card["split"], card["n"]) == ("fashion-mnist", "test", 10_000)
    low, high = card["accuracy_ci95"]
    assert 0.9 < low < card["accuracy"] < high
    assert metadata.versions.keys() == {"fmnist", "torch", "python"}


@pytest.mark.parametrize(
    ("n", "tolerance"), [(2_000, 0.012), pytest.param(10_000, 5e-4, marks=pytest.mark.proof)]
)
def test_it_scores_what_its_card_says(mirror: Path, n: int, tolerance: float) -> None:
    test = open_source(data_dir=mirror).read("test")[:n]
    classifier = load("pretrained", device="cpu")
    accuracy = float(np.mean(classifier(test.images).argmax(1) == test.labels))
    assert classifier.metadata is not None
    # Other processors round otherwise: a few images of ten thousand may lie on the edge.
    assert accuracy == pytest.approx(
        classifier.metadata.extra["measured"]["accuracy"], abs=tolerance
    )
