"""The sample in the package: as derived from the official files, balanced, small."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.sample import content
from fmnist_cli.constants import NUM_CLASSES
from fmnist_cli.data import sample


@pytest.mark.parametrize(("split", "n"), [("train", 2_500), ("test", 500)])
def test_every_ten_images_hold_each_class_once(split: str, n: int) -> None:
    data = sample.read("train" if split == "train" else "test")
    assert len(data) == n
    tens = data.labels.reshape(-1, NUM_CLASSES)
    assert (np.sort(tens, axis=1) == np.arange(NUM_CLASSES)).all()


@pytest.mark.parametrize("split", ["train", "test"])
def test_it_is_derived_from_the_official_files(split: str, mirror: Path) -> None:
    data = sample.read("train" if split == "train" else "test")
    derived = content(split, mirror)
    assert data.labels.astype(np.uint8).tobytes() + data.images.tobytes() == derived


def test_it_is_small_and_carries_its_license() -> None:
    files = [path for path in sample.FOLDER.iterdir() if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= 1_200_000
    assert {"LICENSE", "README.md", "train.xz", "test.xz"} <= {path.name for path in files}
