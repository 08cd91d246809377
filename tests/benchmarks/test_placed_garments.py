"""Garments cut out of photos and placed in other pictures."""

import io
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.placed_garments import HEIGHT, WHITE, WIDTH, place, settings
from fmnist_cli.photos.finder import find_garment

PHOTO = Path(__file__).parents[1] / "photos" / "garments" / "shirt-plaid.jpg"


def test_a_garment_is_placed_where_and_as_the_setting_says() -> None:
    named = settings({"navy": (30, 40, 80)})
    contents = place(PHOTO, [WHITE, *named.values()])
    pictures = dict(
        zip(["white", *named], (Image.open(io.BytesIO(each)) for each in contents), strict=True)
    )
    assert {picture.size for picture in pictures.values()} == {(WIDTH, HEIGHT)}
    corners = {name: np.asarray(picture)[2, 2].tolist() for name, picture in pictures.items()}
    np.testing.assert_allclose(corners["white"], [255] * 3, atol=3)
    np.testing.assert_allclose(corners["background navy"], [30, 40, 80], atol=6)
    np.testing.assert_allclose(corners["in a frame"], [40] * 3, atol=6)
    areas = {name: float(find_garment(picture).mean()) for name, picture in pictures.items()}
    assert 0.2 < areas["white"] < 0.8
    # 33% of the width instead of 75% make a fifth of the area.
    assert areas["a third of the size"] < 0.35 * areas["white"]
    empty = np.asarray(pictures["off center"])[: HEIGHT // 4, WIDTH // 2 :]
    np.testing.assert_allclose(empty.mean((0, 1)), named["off center"].ground, atol=3)
