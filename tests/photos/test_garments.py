"""Twelve real photos of garments, and pictures that are hard to prepare."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageOps

from fmnist_cli import load
from fmnist_cli.constants import CLASS_NAMES
from fmnist_cli.data.pictures import decode
from fmnist_cli.errors import NoGarment
from tests.sample_images import draw, photograph, saved

GARMENTS = Path(__file__).with_name("garments")
CLASSES = {
    "dress-flowers": "Dress",
    "dress-red": "Dress",
    "pullover-blue": "Pullover",
    "pullover-orange": "Pullover",
    "coat-carpet": "Coat",
    "coat-red": "Coat",
    "trouser-floor": "Trouser",
    "shirt-plaid": "Shirt",
    "shirt-stripes": "Shirt",
    "ankle-boots": "Ankle boot",
    "sneaker": "Sneaker",
    "t-shirt-orange": "T-shirt/top",
}


def test_real_photos_get_their_class() -> None:
    images = np.stack([decode(GARMENTS / f"{name}.jpg").pixels for name in CLASSES])
    found = [CLASS_NAMES[label] for label in load("pretrained")(images).argmax(1)]
    assert dict(zip(CLASSES, found, strict=True)) == CLASSES


IMAGE = draw(3, "train").images[2]


def enlarged(pixels: NDArray[Any]) -> Image.Image:
    return Image.fromarray(pixels).convert("L").resize((196, 196), Image.Resampling.BICUBIC)


def pullover(ground: str) -> Image.Image:
    """A garment on a ground of one color."""
    picture = Image.new("RGB", (260, 280), ground)
    picture.paste(enlarged(255 - IMAGE).convert("RGB"), (30, 40), enlarged(IMAGE > 8))
    return picture


def cut_out() -> Image.Image:
    picture = pullover("black").crop((30, 40, 226, 236)).convert("RGBA")
    picture.putalpha(enlarged(IMAGE > 8))
    return picture


def graded() -> Image.Image:
    picture = np.asarray(pullover("white"), np.float32)
    shade = np.linspace(1, 0.7, picture.shape[0])[:, None, None]
    return Image.fromarray((picture * shade).astype(np.uint8))


WHITE = pullover("white")
FRAMED = ImageOps.expand(pullover("rgb(235, 235, 235)"), 15, (20, 20, 20))


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(saved(WHITE, "PNG"), id="white"),
        pytest.param(saved(pullover("rgb(120, 80, 40)"), "JPEG"), id="brown"),
        pytest.param(saved(WHITE.convert("CMYK"), "JPEG"), id="CMYK"),
        pytest.param(saved(cut_out(), "PNG"), id="cut-out"),
        pytest.param(saved(FRAMED, "PNG"), id="frame"),
        pytest.param(saved(graded(), "WEBP"), id="gradient"),
        pytest.param(
            saved(
                Image.new("RGB", WHITE.size, "white"), "GIF", save_all=True, append_images=[WHITE]
            ),
            id="second frame",
        ),
    ],
)
def test_what_is_prepared_is_like_the_original(content: bytes) -> None:
    """The same garment, bright on black: the pixels correlate with those of the data set."""
    picture = decode(content)
    assert picture.prepared
    filled, shown = (
        Image.fromarray(pixels).crop(Image.fromarray(pixels).getbbox()).resize((28, 28))
        for pixels in (IMAGE, picture.pixels)
    )
    assert np.corrcoef(np.asarray(filled).ravel(), np.asarray(shown).ravel())[0, 1] > 0.6


@pytest.mark.parametrize("size", [(5, 5), (1, 2000), (2000, 1)])
def test_odd_sizes_are_prepared_or_refused(size: tuple[int, int]) -> None:
    picture = photograph(draw(1, "train").images[0]).resize(size)
    try:
        assert decode(saved(picture, "PNG")).pixels.any()
    except NoGarment:
        return
