"""Samples as a labeled PNG grid and as characters for a terminal."""

import io
from collections.abc import Callable, Iterator, Sequence
from typing import Final

import numpy as np

from fmnist_cli.constants import IMAGE_SIZE
from fmnist_cli.data.images import Images
from fmnist_cli.evaluation.fonts import find_font
from fmnist_cli.evaluation.samples import Sample

_SCALE: Final = 4
_GAP: Final = 8
_LINE_HEIGHT: Final = 16
_FONT_SIZE: Final = 13
_SHADES: Final = " .:-=+*#%@"
_UPPER_HALF: Final = "▀"


def draw_grid(samples: Sequence[Sample], *, columns: int = 8) -> bytes:
    """Draw samples enlarged, each above its caption; returns a PNG."""
    from PIL import Image, ImageDraw, ImageFont

    columns = min(columns, max(len(samples), 1))
    rows = -(-len(samples) // columns)
    side = IMAGE_SIZE * _SCALE
    captions = [sample.caption().split("\n") for sample in samples]
    lines = max(map(len, captions), default=1)
    cell_width, cell_height = side + _GAP, side + lines * _LINE_HEIGHT + _GAP
    sheet = Image.new("L", (columns * cell_width + _GAP, rows * cell_height + _GAP), 255)
    pen = ImageDraw.Draw(sheet)
    text = "".join(line for caption in captions for line in caption)
    if text.isascii():
        font = ImageFont.load_default(_FONT_SIZE)
    else:
        found = find_font(text)
        font = ImageFont.truetype(found.fname, _FONT_SIZE, getattr(found, "index", 0))
    for position, (sample, caption) in enumerate(zip(samples, captions, strict=True)):
        row, column = divmod(position, columns)
        left, top = _GAP + column * cell_width, _GAP + row * cell_height
        enlarged = Image.fromarray(sample.image).resize((side, side), Image.Resampling.NEAREST)
        sheet.paste(enlarged, (left, top))
        for number, line in enumerate(caption):
            place = (left + 1, top + side + 1 + number * _LINE_HEIGHT)
            pen.text(place, _fitted(line, side, font.getlength), 0, font)
    picture = io.BytesIO()
    sheet.save(picture, "PNG", optimize=True)
    return picture.getvalue()


def _fitted(text: str, width: float, measure: Callable[[str], float]) -> str:
    """Shorten a text to at most `width` pixels."""
    if measure(text) <= width:
        return text
    while text and measure(f"{text}…") > width:
        text = text[:-1]
    return f"{text}…"


def half_blocks(image: Images) -> Iterator[list[tuple[str, str]]]:
    """Draw one uint8 [28, 28] with half blocks, two pixels (one above the other) per character.

    Yields 14 lines of (character, rich style).
    """
    for upper, lower in zip(image[::2], image[1::2], strict=True):
        yield [
            (_UPPER_HALF, f"rgb({a},{a},{a}) on rgb({b},{b},{b})")
            for a, b in zip(upper.tolist(), lower.tolist(), strict=True)
        ]


def shades(image: Images) -> list[str]:
    """Draw one uint8 [28, 28] without color, as 14 lines of plain characters."""
    pairs = image.reshape(IMAGE_SIZE // 2, 2, IMAGE_SIZE).mean(1)
    levels = np.minimum((pairs / 256 * len(_SHADES)).round().astype(int), len(_SHADES) - 1)
    return ["".join(_SHADES[level] for level in line) for line in levels]
