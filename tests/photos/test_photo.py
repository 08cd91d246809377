"""Photo preparation: what the garment's box, brightness and place come to."""

import numpy as np
import pytest
from numpy.typing import NDArray

from fmnist_cli.errors import DataError
from fmnist_cli.photos.photo import prepare_photo


def photo(
    background: tuple[int, int, int] = (253, 253, 253),
    garment: tuple[int, int, int] = (60, 60, 60),
    *,
    shape: tuple[int, int] = (600, 400),
    box: tuple[slice, slice] = (slice(100, 400), slice(50, 200)),
    noise: float = 0,
) -> NDArray[np.uint8]:
    """A plain rectangle for a garment."""
    pixels = np.full((*shape, 3), background, np.float64)
    pixels[box] = garment
    pixels += np.random.default_rng(0).normal(0, noise, pixels.shape)
    return pixels.clip(0, 255).astype(np.uint8)


def bright_box(pixels: NDArray[np.uint8]) -> tuple[int, int, int, int]:
    rows, columns = (np.flatnonzero((pixels > 60).any(axis=axis)) for axis in (1, 0))
    return int(rows[0]), int(rows[-1]), int(columns[0]), int(columns[-1])


def test_the_longest_side_fills_28_and_the_other_is_centerd() -> None:
    assert bright_box(prepare_photo(photo())) == (0, 27, 7, 20)


def test_a_wide_garment_fills_the_width() -> None:
    wide = photo(box=(slice(500, 580), slice(20, 340)))
    assert bright_box(prepare_photo(wide)) == (10, 16, 0, 27)


def test_it_is_negated() -> None:
    pixels = prepare_photo(photo(background=(255, 255, 255), garment=(60, 60, 60)))
    assert pixels[14, 14] == pytest.approx(195, abs=2)
    assert pixels[14, 2] == 0


@pytest.mark.parametrize("background", [(250, 235, 220), (215, 225, 245), (200, 200, 200)])
def test_a_colored_or_gray_background_becomes_black(background: tuple[int, int, int]) -> None:
    pixels = prepare_photo(photo(background=background, noise=5))
    assert bright_box(pixels) == (0, 27, 7, 20)
    assert pixels[:, :5].max() <= 3


def test_noise_does_not_widen_the_box() -> None:
    noisy = photo(background=(235, 235, 235), noise=8)
    assert bright_box(prepare_photo(noisy)) == (0, 27, 7, 20)


def test_a_garment_on_a_dark_background_stays_bright() -> None:
    pixels = prepare_photo(photo(background=(8, 8, 8), garment=(220, 220, 220)))
    assert pixels[14, 14] > 200
    assert pixels[14, 2] == 0


def test_color_becomes_gray_by_luminance() -> None:
    blue, yellow = (
        prepare_photo(photo(background=(255, 255, 255), garment=color))[14, 14]
        for color in ((0, 0, 255), (255, 255, 0))
    )
    assert blue == pytest.approx(255 * (1 - 0.114), abs=2)
    assert yellow == pytest.approx(255 * 0.114, abs=2)


def test_a_large_photo_gives_what_a_small_one_does() -> None:
    small = photo()
    large = np.repeat(np.repeat(small, 4, axis=0), 4, axis=1)
    difference = prepare_photo(large).astype(int) - prepare_photo(small)
    assert np.abs(difference).max() <= 8


@pytest.mark.parametrize("shape", [(1, 1), (28, 28), (500, 300)])
def test_nothing_but_background_is_an_error(shape: tuple[int, int]) -> None:
    with pytest.raises(DataError, match="nothing stands out"):
        prepare_photo(np.full((*shape, 3), 250, np.uint8))


@pytest.mark.parametrize("shape", [(1, 300), (300, 1), (2, 2), (3, 900), (29, 27)])
def test_any_shape_gives_28_by_28(shape: tuple[int, int]) -> None:
    pixels = np.full((*shape, 3), 250, np.uint8)
    pixels.reshape(-1, 3)[0] = 0
    pixels.reshape(-1, 3)[: pixels.size // 12] = 0
    assert prepare_photo(pixels).shape == (28, 28)
