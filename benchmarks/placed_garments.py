"""Real garments, cut out of photos of held-out senders and placed in other pictures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image, ImageFilter

from benchmarks.clothing import open_photo
from fmnist_cli.photos.finder import find_garment

WIDTH, HEIGHT = 400, 533
_SHADOW: Final = 0.45
"""Darkness of a shadow, which is blurred and lies a little below the garment."""
_FRAME, _BANNER = 14, 60
"""Width of a frame and height of a banner in pixels."""

Color = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Setting:
    """What surrounds a garment."""

    ground: Color = (225, 222, 215)
    size: float = 0.75
    """Of the picture's width and height, whichever the garment reaches first."""
    is_centered: bool = True
    has_shadow: bool = False
    has_frame: bool = False
    has_banner: bool = False


WHITE: Final = Setting((255, 255, 255))


def settings(grounds: Mapping[str, Color]) -> dict[str, Setting]:
    """The grounds, and on a light one what else surrounds garments."""
    return {
        **{f"background {name}": Setting(ground) for name, ground in grounds.items()},
        "with a shadow": Setting(has_shadow=True),
        "in a frame": Setting(has_frame=True),
        "with a banner": Setting(has_banner=True),
        "off center": Setting(size=0.5, is_centered=False),
        "a third of the size": Setting(size=0.33),
    }


def place(path: Path, chosen: Sequence[Setting]) -> list[bytes]:
    """A photo's garment in each setting, as JPEG files of 400x533 pixels."""
    photo = open_photo(path)
    mask = Image.fromarray(find_garment(photo)).resize(photo.size, Image.Resampling.BILINEAR)
    cover = np.asarray(mask, np.float32)
    rows, columns = (np.flatnonzero((cover > 0.5).any(axis=axis)) for axis in (1, 0))
    box = (int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)
    # A steep edge leaves out the photo's own ground, which shows through a soft one.
    sharp = Image.fromarray((255 * (4 * cover - 2.2).clip(0, 1)).astype(np.uint8))
    return [_compose(photo.crop(box), sharp.crop(box), setting) for setting in chosen]


def _compose(garment: Image.Image, cover: Image.Image, setting: Setting) -> bytes:
    scale = setting.size * min(WIDTH / garment.width, HEIGHT / garment.height)
    size = max(1, round(garment.width * scale)), max(1, round(garment.height * scale))
    picture = Image.new("RGB", (WIDTH, HEIGHT), setting.ground)
    left, top = (WIDTH - size[0]) // 2, (HEIGHT - size[1]) // 2
    if not setting.is_centered:
        left, top = _FRAME, HEIGHT - size[1] - _FRAME
    garment, cover = garment.resize(size), cover.resize(size)
    if setting.has_shadow:
        whole = Image.new("L", picture.size)
        whole.paste(cover, (left + 6, top + 14))
        dark = np.asarray(whole.filter(ImageFilter.GaussianBlur(9)), np.float32)[..., None] / 255
        shaded = np.asarray(picture) * (1 - _SHADOW * dark)
        picture = Image.fromarray(shaded.round().astype(np.uint8))
    if setting.has_banner:
        picture.paste((190, 30, 45), (0, HEIGHT - _BANNER, WIDTH, HEIGHT))
    if setting.has_frame:
        inside = picture.crop((_FRAME, _FRAME, WIDTH - _FRAME, HEIGHT - _FRAME))
        picture.paste((40, 40, 40), (0, 0, WIDTH, HEIGHT))
        picture.paste(inside, (_FRAME, _FRAME))
    picture.paste(garment, (left, top), cover)
    stream = BytesIO()
    picture.save(stream, "JPEG", quality=90)
    return stream.getvalue()
