"""Twelve real photos of garments, and pictures that are hard to prepare."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fmnist_cli import load
from fmnist_cli.constants import CLASS_NAMES
from fmnist_cli.data.pictures import decode
from fmnist_cli.errors import DataError, NoGarment
from tests.sample_images import draw, photograph

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


def pullover(ground: tuple[int, int, int], level: float = 0.0) -> Image.Image:
    """A garment on a ground of one color; `level`: how far its colors go to white."""
    image = draw(3, "train").images[2]
    cover = Image.fromarray(image > 8).convert("L").resize((196, 196), Image.Resampling.BICUBIC)
    shade = 255 - image.astype(np.float32)
    shade = shade + level * (255 - shade)
    garment = Image.fromarray(shade.astype(np.uint8)).resize((196, 196), Image.Resampling.BICUBIC)
    picture = Image.new("RGB", (260, 280), ground)
    picture.paste(garment.convert("RGB"), (30, 40), cover)
    return picture


def cut_out() -> Image.Image:
    image = draw(3, "train").images[2]
    cover = Image.fromarray(image > 8).convert("L").resize((196, 196), Image.Resampling.BICUBIC)
    picture = pullover((0, 0, 0)).crop((30, 40, 226, 236)).convert("RGBA")
    picture.putalpha(cover)
    return picture


def framed() -> Image.Image:
    picture = pullover((235, 235, 235))
    around = Image.new("RGB", (picture.width + 30, picture.height + 30), (20, 20, 20))
    around.paste(picture, (15, 15))
    return around


def graded() -> Image.Image:
    picture = np.asarray(pullover((255, 255, 255)), np.float32)
    shade = np.linspace(1, 0.7, picture.shape[0])[:, None, None]
    return Image.fromarray((picture * shade).astype(np.uint8))


def saved(picture: Image.Image, form: str, **options: object) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, form, **options)
    return stream.getvalue()


@pytest.mark.parametrize(
    "make",
    [
        lambda: saved(pullover((255, 255, 255)), "PNG"),
        lambda: saved(pullover((120, 80, 40)), "JPEG"),
        lambda: saved(pullover((255, 255, 255)).convert("CMYK"), "JPEG"),
        lambda: saved(cut_out(), "PNG"),
        lambda: saved(framed(), "PNG"),
        lambda: saved(graded(), "WEBP"),
        lambda: saved(
            Image.new("RGB", (260, 280), "white"),
            "GIF",
            save_all=True,
            append_images=[pullover((255, 255, 255))],
        ),
    ],
    ids=["white", "brown", "CMYK", "cut-out", "frame", "gradient", "second frame"],
)
def test_what_is_prepared_is_like_the_original(make: Callable[[], bytes]) -> None:
    """The same garment, bright on black: the pixels correlate with those of the data set."""
    picture = decode(make())
    assert picture.prepared
    original = draw(3, "train").images[2]
    rows, columns = np.flatnonzero(original.any(1)), np.flatnonzero(original.any(0))
    trimmed = original[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    filled = Image.fromarray(trimmed).resize((28, 28))
    found = picture.pixels[:, picture.pixels.any(0)][picture.pixels.any(1)]
    shown = Image.fromarray(np.ascontiguousarray(found)).resize((28, 28))
    a, b = (np.asarray(each, np.float64).ravel() for each in (filled, shown))
    likeness = np.mean((a - a.mean()) * (b - b.mean())) / (a.std() * b.std())
    assert likeness > 0.6


@pytest.mark.parametrize(
    "picture",
    [
        Image.new("RGB", (300, 200), "white"),
        Image.new("RGB", (300, 200), "black"),
        Image.new("RGBA", (300, 200), (200, 10, 10, 0)),
        Image.fromarray(np.random.default_rng(0).integers(0, 256, (200, 300, 3), np.uint8)),
    ],
    ids=["white", "black", "transparent", "noise"],
)
def test_nothing_to_find_is_an_error(picture: Image.Image) -> None:
    with pytest.raises(DataError, match=r"no garment|blank"):
        decode(saved(picture, "PNG"))


@pytest.mark.parametrize("size", [(5, 5), (1, 2000), (2000, 1)])
def test_odd_sizes_are_prepared_or_refused(size: tuple[int, int]) -> None:
    picture = photograph(draw(1, "train").images[0]).resize(size)
    try:
        assert decode(saved(picture, "PNG")).pixels.any()
    except NoGarment:
        return
