from pathlib import Path

import numpy as np
import pytest

from fmnist_cli.data.images import LabeledImages
from fmnist_cli.data.layouts import OFFICIAL
from fmnist_cli.data.sources import open_source
from fmnist_cli.evaluation.dataset_stats import dataset_stats
from tests.data.written_formats import npz, write
from tests.evaluation.test_overlap import write_csv
from tests.memory import measured
from tests.sample_images import draw


def test_counts_mean_std_and_copies(tmp_path: Path) -> None:
    data = draw(30, "train")
    train = data[[*range(30), 0, 0, 1]]
    test = data[[5, 6, 6]]
    test.images[0, 0, 0] ^= 1
    source = open_source(
        write_csv(tmp_path / "train.csv", train),
        test_data=write_csv(tmp_path / "test.csv", test),
        data_dir=tmp_path / "none",
    )
    stats = dataset_stats(source)
    described = stats.splits["train"]
    assert (described.n, described.duplicates) == (33, 3)
    assert list(described.counts.values()) == np.bincount(train.labels, minlength=10).tolist()
    assert described.mean == pytest.approx((train.images / 255).mean())
    assert described.std == pytest.approx((train.images / 255).std())
    assert described.fingerprint == train.fingerprint()
    assert stats.splits["test"].duplicates == 1
    assert stats.shared == 2
    assert described.in_official == {"train": None, "test": None}


def test_data_without_a_test_split_is_described_as_far_as_it_goes(tmp_path: Path) -> None:
    source = open_source(
        write_csv(tmp_path / "d.csv", draw(12, "train")), data_dir=tmp_path / "none"
    )
    stats = dataset_stats(source)
    assert list(stats.splits) == ["train"]
    assert stats.shared is None


def test_many_images_take_little_more_memory_than_their_pixels(tmp_path: Path) -> None:
    images = np.zeros((100_000, 28, 28), np.uint8)  # 78 MB
    images.reshape(len(images), -1)[:, :4] = np.arange(len(images), dtype=">u4")[:, None].view("u1")
    path = write(tmp_path, npz(images=images, labels=np.arange(len(images)) % 10))
    with measured() as peak:
        stats = dataset_stats(open_source(str(path), data_dir=tmp_path / "none"))
    assert stats.splits["train"].duplicates == 0
    assert stats.splits["train"].mean == pytest.approx((images / np.float32(255)).mean())
    assert peak.extra_bytes < 250e6


def test_overlap_with_the_official_splits(tmp_path: Path, mirror: Path) -> None:
    official = open_source(OFFICIAL, data_dir=mirror)
    train, test = official.read("train")[:20], official.read("test")[:7]
    other = draw(3, "train")
    mixed = LabeledImages(
        np.concatenate([train.images, test.images, 255 - other.images]),
        np.concatenate([train.labels, test.labels, other.labels]),
    )
    source = open_source(write_csv(tmp_path / "mixed.csv", mixed), data_dir=mirror)
    described = dataset_stats(source).splits["train"]
    assert described.in_official == {"train": 20, "test": 7}
