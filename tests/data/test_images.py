import hashlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fmnist_cli.data.images import DIGEST_BYTES, Images, LabeledImages, count_seen, digest_images
from fmnist_cli.errors import DataError


def pictures(n: int, seed: int = 0) -> Images:
    return np.random.default_rng(seed).integers(0, 256, (n, 28, 28), dtype=np.uint8)


def test_record_is_sorted_distinct_and_truncated_sha256() -> None:
    images = pictures(50)
    record = digest_images(np.concatenate([images, images[:7]]))
    digests = [record[at : at + DIGEST_BYTES] for at in range(0, len(record), DIGEST_BYTES)]
    expected = {hashlib.sha256(image.tobytes()).digest()[:DIGEST_BYTES] for image in images}
    assert digests == sorted(expected)


@given(arrays(np.bool_, 40))
def test_finds_exactly_the_images_of_the_record(
    kept: "np.ndarray[tuple[int], np.dtype[np.bool_]]",
) -> None:
    images = pictures(40)
    record = digest_images(images[kept])
    assert [count_seen(image[None], record) for image in images] == kept.tolist()


def test_one_pixel_makes_another_image() -> None:
    images = pictures(3)
    record = digest_images(images)
    images[1, 0, 0] ^= 1
    assert count_seen(images, record) == 2


def test_views_are_digested_as_they_look() -> None:
    images = pictures(5)
    mirrored = images[:, :, ::-1]
    assert digest_images(mirrored) == digest_images(mirrored.copy())


@given(st.binary(max_size=40).filter(lambda record: len(record) % DIGEST_BYTES != 0))
def test_a_damaged_record_is_refused(record: bytes) -> None:
    with pytest.raises(DataError, match="damaged"):
        count_seen(pictures(1), record)


def test_an_empty_record_has_seen_nothing() -> None:
    assert digest_images(pictures(0)) == b""
    assert count_seen(pictures(2), b"") == 0


@pytest.mark.parametrize(
    ("images", "labels", "classes", "reason"),
    [
        ([[1]], np.zeros(1, int), ("a", "b"), "images are a list; expected a NumPy array, uint8"),
        (pictures(1), [0], ("a", "b"), "labels are a list; expected a NumPy array, int64"),
        (pictures(1), np.zeros(1, int), ("a", "a"), "classes are a, a; expected different names"),
    ],
)
def test_what_are_no_labeled_images_is_named(
    images: Any, labels: Any, classes: tuple[str, ...], reason: str
) -> None:
    with pytest.raises(DataError, match=reason):
        LabeledImages(images, labels, classes)
