"""Images for tests: the package's sample, repeated where a test asks for more of them."""

from io import BytesIO
from pathlib import Path
from typing import Any, Literal

import numpy as np
from PIL import Image

from fmnist_cli.data import sample
from fmnist_cli.data.images import Images, LabeledImages


def draw(n: int, split: Literal["train", "test"]) -> LabeledImages:
    """Return the first `n` images of a split, again from its start after the last one."""
    data = sample.read(split)
    return data[np.arange(n) % len(data)]


def photograph(image: Images, side: int = 224) -> Image.Image:
    """Picture a garment, uint8 [28, 28], in color on a light wall, as an RGB photo."""
    garment = Image.fromarray(255 - image).resize((side, side), Image.Resampling.BICUBIC)
    mask = Image.fromarray(image > 0).convert("L").resize((side, side), Image.Resampling.BICUBIC)
    photo = Image.new("RGB", (side * 3 // 2, side * 4 // 3), (222, 214, 205))
    photo.paste(garment.convert("RGB"), (side // 4, side // 6), mask)
    return photo


def saved(image: Image.Image, form: str, **options: Any) -> bytes:
    """Return the bytes of an image file."""
    stream = BytesIO()
    image.save(stream, form, **options)
    return stream.getvalue()


def png(pixels: Images) -> bytes:
    """Return uint8 [28, 28] as a PNG file."""
    return saved(Image.fromarray(pixels), "PNG")


def write_square(path: Path, level: int = 200) -> Path:
    """Write a picture of the data set's form: a square of one gray level on black."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.zeros((28, 28), np.uint8)
    pixels[8:20, 8:20] = level
    Image.fromarray(pixels).save(path)
    return path
