"""`data.splits`: exact sizes, classes in proportion, nothing lost, the same every time."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fmnist_cli.data.images import LabeledImages
from fmnist_cli.data.splits import divide, stratified_split
from fmnist_cli.errors import UsageError
from tests.memory import CAN_MEASURE, measured


@given(st.lists(st.integers(0, 9), min_size=1, max_size=200), st.data(), st.integers(0, 2**32))
def test_parts_are_exact_disjoint_and_in_proportion(
    labels: list[int], data: st.DataObject, seed: int
) -> None:
    array = np.array(labels, dtype=np.int64)
    val_size = data.draw(st.integers(0, len(labels) - 1))
    train, val = stratified_split(array, val_size, seed)
    assert len(val) == val_size
    assert train.dtype == val.dtype == np.int64
    assert sorted([*train, *val]) == list(range(len(labels)))
    assert list(train) == sorted(train)
    assert list(val) == sorted(val)
    for label in range(10):
        share = (array == label).sum() * val_size / len(labels)
        assert abs((array[val] == label).sum() - share) < 1


def test_official_sizes_give_500_of_each_class() -> None:
    labels = np.tile(np.arange(10), 6_000)
    _, val = stratified_split(labels, 5_000)
    assert (np.bincount(labels[val]) == 500).all()


def test_the_seed_decides() -> None:
    labels = np.tile(np.arange(10), 20)
    first, again, other = (stratified_split(labels, 50, seed)[1] for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("val_size", [-1, 10, 11])
def test_nothing_left_to_train_on_is_refused(val_size: int) -> None:
    with pytest.raises(UsageError, match="--val-size"):
        stratified_split(np.arange(10), val_size)


def distinct(n: int) -> LabeledImages:
    """Images that encode their positions, with labels in random order."""
    images = np.zeros((n, 28, 28), np.uint8)
    images[:, 0, :4] = np.arange(n, dtype="<u4")[:, None].view(np.uint8)
    return LabeledImages(images, np.random.default_rng(0).integers(0, 10, n))


@pytest.mark.parametrize(
    ("n", "val_size"),
    [(10, 0), (10, 1), (10, 9), (4_096, 1), (4_097, 1), (10_000, 0), (10_000, 9), (10_000, 9_990)],
)
def test_images_are_divided_as_positions_are(n: int, val_size: int) -> None:
    data = distinct(n)
    chosen, held_out = stratified_split(data.labels, val_size, seed=3)
    train, val = divide(distinct(n), val_size, seed=3)
    for part, positions in ((train, chosen), (val, held_out)):
        assert np.array_equal(part.images, data.images[positions])
        assert np.array_equal(part.labels, data.labels[positions])


@pytest.mark.skipif(not CAN_MEASURE, reason="needs Linux to measure peak memory")
@pytest.mark.parametrize("val_size", [0, 1_000])
def test_a_large_split_is_never_held_twice(val_size: int) -> None:
    data = distinct(60_000)
    with measured() as peak:
        train, _ = divide(data, val_size)
    assert np.shares_memory(train.images, data.images)
    assert peak.extra_bytes < 0.25 * data.images.nbytes
