"""Photo preparation: geometry and brightness with a known mask."""

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from fmnist_cli.errors import DataError
from fmnist_cli.photos.photo import prepare_photo


def photo(
    color: tuple[int, int, int] = (60, 60, 60), size: tuple[int, int] = (400, 600)
) -> Image.Image:
    return Image.new("RGB", size, color)


def mask(*boxes: tuple[slice, slice], shape: tuple[int, int] = (60, 40)) -> NDArray[np.float32]:
    """1 inside the boxes, 0 elsewhere."""
    pixels = np.zeros(shape, np.float32)
    for box in boxes:
        pixels[box] = 1
    return pixels


def bright_box(pixels: NDArray[np.uint8]) -> tuple[int, int, int, int]:
    rows, columns = (np.flatnonzero((pixels > 60).any(axis=axis)) for axis in (1, 0))
    return int(rows[0]), int(rows[-1]), int(columns[0]), int(columns[-1])


TALL = (slice(10, 40), slice(5, 20))


def test_the_longer_side_fills_28_pixels_and_the_other_is_centered() -> None:
    assert bright_box(prepare_photo(photo(), mask(TALL))) == (0, 27, 7, 20)


def test_a_wide_garment_fills_the_width() -> None:
    wide = mask((slice(50, 58), slice(4, 36)))
    top, bottom, left, right = bright_box(prepare_photo(photo(), wide))
    assert (left, right) == (0, 27)
    assert bottom - top + 1 == pytest.approx(28 / 4, abs=1)
    assert top == pytest.approx(27 - bottom, abs=1)


@pytest.mark.parametrize(("gray", "brightness"), [(60, 195), (0, 255), (200, 55), (255, 12)])
def test_it_is_negated_on_black_and_white_stays_visible(gray: int, brightness: int) -> None:
    pixels = prepare_photo(photo((gray, gray, gray)), mask(TALL))
    assert pixels[14, 14] == pytest.approx(brightness, abs=2)
    assert pixels[14, 2] == 0


def test_color_becomes_gray_by_luminance() -> None:
    blue, yellow = (
        prepare_photo(photo(color), mask(TALL))[14, 14] for color in ((0, 0, 255), (255, 255, 0))
    )
    assert blue == pytest.approx(255 * (1 - 0.114), abs=2)
    assert yellow == pytest.approx(255 * 0.114, abs=2)


def test_a_pair_is_kept_and_small_spots_are_not() -> None:
    left, right = (slice(20, 40), slice(4, 16)), (slice(20, 40), slice(24, 36))
    pair = prepare_photo(photo(), mask(left, right))
    spotted = prepare_photo(photo(), mask(left, right, (slice(0, 2), slice(0, 2))))
    np.testing.assert_array_equal(spotted, pair)
    assert bright_box(pair)[2:] == (0, 27)
    assert pair[14, 14] == 0


def test_an_empty_mask_is_an_error() -> None:
    with pytest.raises(DataError, match="no garment"):
        prepare_photo(photo(), mask())


def test_a_full_mask_takes_the_whole_picture() -> None:
    assert prepare_photo(photo(size=(300, 300)), mask((slice(None), slice(None)))).min() > 150


@pytest.mark.parametrize("size", [(1, 300), (300, 1), (2, 2), (3, 900), (29, 27), (1, 2000)])
def test_any_size_gives_28_by_28(size: tuple[int, int]) -> None:
    whole = mask((slice(None), slice(None)))
    assert prepare_photo(photo(size=size), whole).shape == (28, 28)


def test_noise_and_plain_pictures_hold_no_garment() -> None:
    random = np.random.default_rng(0)
    noise = Image.fromarray(random.integers(0, 256, (300, 200, 3), dtype=np.uint8))
    gradient = Image.linear_gradient("L").convert("RGB")
    for picture in (noise, gradient, photo(), photo((255, 255, 255))):
        with pytest.raises(DataError, match="no garment"):
            prepare_photo(picture)
