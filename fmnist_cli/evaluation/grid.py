"""Labeled pictures of samples: as a PNG, and as characters for a terminal."""

import io
from collections.abc import Callable, Iterator, Sequence
from typing import Final

import numpy as np

from fmnist_cli.constants import IMAGE_SIZE
from fmnist_cli.data.images import Images

_SCALE: Final = 4
_GAP: Final = 8
_LINE_HEIGHT: Final = 16
_SHADES: Final = " .:-=+*#%@"
_UPPER_HALF: Final = "▀"


def draw_grid(images: Images, captions: Sequence[str], *, columns: int = 8) -> bytes:
    """Draw uint8 [N, 28, 28] enlarged, each above its caption of a line or more; returns a PNG."""
    from PIL import Image, ImageDraw, ImageFont

    columns = min(columns, max(len(images), 1))
    rows = -(-len(images) // columns)
    side = IMAGE_SIZE * _SCALE
    lines = max((caption.count("\n") + 1 for caption in captions), default=1)
    cell_width, cell_height = side + _GAP, side + lines * _LINE_HEIGHT + _GAP
    sheet = Image.new("L", (columns * cell_width + _GAP, rows * cell_height + _GAP), 255)
    pen = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(13)
    for position, (image, caption) in enumerate(zip(images, captions, strict=True)):
        row, column = divmod(position, columns)
        left, top = _GAP + column * cell_width, _GAP + row * cell_height
        enlarged = Image.fromarray(image).resize((side, side), Image.Resampling.NEAREST)
        sheet.paste(enlarged, (left, top))
        for number, line in enumerate(caption.split("\n")):
            place = (left + 1, top + side + 1 + number * _LINE_HEIGHT)
            pen.text(place, _fitted(line, side, font.getlength), 0, font)
    picture = io.BytesIO()
    sheet.save(picture, "PNG", optimize=True)
    return picture.getvalue()


def _fitted(text: str, width: float, measure: Callable[[str], float]) -> str:
    """Cut a text so that it is at most `width` wide."""
    if measure(text) <= width:
        return text
    while text and measure(f"{text}…") > width:
        text = text[:-1]
    return f"{text}…"


def half_blocks(image: Images) -> Iterator[list[tuple[str, str]]]:
    """Lines of characters for one uint8 [28, 28]: each stands for two pixels, one above the other.

    Yields 14 lines of (character, rich style).
    """
    for upper, lower in zip(image[::2], image[1::2], strict=True):
        yield [
            (_UPPER_HALF, f"rgb({a},{a},{a}) on rgb({b},{b},{b})")
            for a, b in zip(upper.tolist(), lower.tolist(), strict=True)
        ]


def shades(image: Images) -> list[str]:
    """14 lines of plain characters for one uint8 [28, 28], where there is no color."""
    pairs = image.reshape(IMAGE_SIZE // 2, 2, IMAGE_SIZE).mean(1)
    levels = np.minimum((pairs / 256 * len(_SHADES)).round().astype(int), len(_SHADES) - 1)
    return ["".join(_SHADES[level] for level in line) for line in levels]
