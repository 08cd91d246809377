"""Image files to 28×28 images like those of the data set: uint8, bright on black."""

from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fmnist_cli.constants import IMAGE_SIZE
from fmnist_cli.data.image_files import MAX_FILE_BYTES, MAX_PIXELS, load_image, read_file
from fmnist_cli.data.images import Images
from fmnist_cli.errors import DataError, Unavailable
from fmnist_cli.files import atomic_write

if TYPE_CHECKING:
    from PIL import Image

PhotoMode: TypeAlias = Literal["auto", "on", "off"]
"""Whether to prepare a picture as a photo; `auto` decides from the picture."""

_OPAQUE: Final = 128
"""Alpha values below are transparent."""
_REDUCED_SIDE: Final = 8 * IMAGE_SIZE
"""Photos are prepared at this size or up to twice as large, and their steps are drawn this high."""


@dataclass(frozen=True, slots=True)
class Picture:
    """What the network sees of one picture."""

    pixels: Images
    """uint8 [28, 28]."""
    prepared: bool
    """Whether it was prepared as a photo; otherwise the pixels are those of the file."""


def decode(
    source: str | Path | bytes, *, photo: PhotoMode = "auto", max_pixels: int = MAX_PIXELS
) -> Picture:
    """Read an image file, or the bytes of one, in any format that Pillow reads.

    Any size, gray, color, palette or alpha, 8 to 32 bits per channel, turned upright by its EXIF
    tag. The first frame of an animation that is not blank counts. A photo is prepared by
    `prepare_photo`; any other picture becomes gray, on black, and is resized to 28×28. `auto` takes
    gray 28×28 pictures with dark corners for images of the data set and all others for photos.

    max_pixels: larger pictures are refused before they are decoded; JPEG files, which are decoded
    at a fraction of their size, may have four times as many, up to MAX_JPEG_PIXELS.
    Raises MissingInput if the file does not exist, Unavailable if its format needs a package that
    is not installed, and DataError if it is not a picture, damaged, too large or blank.
    """
    content = source if isinstance(source, bytes) else read_file(source)
    name = "the picture" if isinstance(source, bytes) else f"'{source}'"
    try:
        if len(content) > MAX_FILE_BYTES:
            raise DataError(f"it has more than {MAX_FILE_BYTES:,} bytes")
        if photo == "auto" and (picture := decode_data_set_image(content)) is not None:
            return picture
        image = load_image(content, max_pixels)
        if photo == "off":
            gray = (_shrink(image, 0) if image.mode == "RGBA" else image).convert("L")
            return Picture(np.array(gray.resize((IMAGE_SIZE, IMAGE_SIZE))), prepared=False)
        if photo == "auto" and (pixels := _of_data_set(image)) is not None:
            return Picture(pixels, prepared=False)
        from fmnist_cli.photos.photo import prepare_photo

        return Picture(prepare_photo(*_photo_and_mask(image)), prepared=True)
    except (DataError, Unavailable) as error:
        raise type(error)(f"{name} can't be used: {error}") from None


def decode_data_set_image(content: bytes) -> Picture | None:
    """What `decode` returns for a plain gray 28×28 PNG file that shows an image of the data set.

    None for any other content, even if `decode` would return the same. Faster than `decode`, and it
    never prepares a photo, so that an event loop can call it.
    """
    image = open_gray_png(content)
    # `info` holds everything that would have to be looked at: EXIF, transparency, frames.
    if image is None or image.info:
        return None
    content = image.tobytes()
    pixels = np.frombuffer(content, np.uint8).reshape(IMAGE_SIZE, IMAGE_SIZE).copy()
    is_blank = content.count(content[0]) == len(content)
    return None if is_blank or not _has_dark_corners(pixels) else Picture(pixels, prepared=False)


def open_gray_png(content: bytes) -> "Image.Image | None":
    """Decode a gray 28×28 PNG file; None for any other content, damaged files among it."""
    from PIL import Image

    try:
        with Image.open(BytesIO(content), formats=["PNG"]) as image:
            if image.mode != "L" or image.size != (IMAGE_SIZE, IMAGE_SIZE):
                return None
            image.load()
            return image
    except Exception:  # noqa: BLE001 - Pillow's readers raise errors of all kinds
        return None


def draw_steps(path: Path) -> "Image.Image":
    """Draw a photo, what was found in it, and the network's input, 224 pixels high, side by side.

    Raises what `decode` raises.
    """
    from PIL import Image

    from fmnist_cli.photos.finder import find_garment
    from fmnist_cli.photos.photo import prepare_photo

    photo, mask = _photo_and_mask(load_image(read_file(path)))
    pixels = prepare_photo(photo, mask)
    found = Image.fromarray(find_garment(photo) if mask is None else mask)
    height, width = _REDUCED_SIDE, max(1, round(photo.width * _REDUCED_SIDE / photo.height))
    shown = photo.resize((width, height))
    cover = found.resize((width, height)).point(lambda share: share * 255).convert("L")
    garment = Image.composite(shown, Image.new("RGB", shown.size, "white"), cover)
    seen = Image.fromarray(pixels).resize((height, height), Image.Resampling.NEAREST)
    steps = Image.new("RGB", (2 * width + height, height))
    for left, step in ((0, shown), (width, garment), (2 * width, seen)):
        steps.paste(step, (left, 0))
    return steps


def write_png(path: Path, pixels: Images) -> None:
    """Write uint8 [28, 28] as a gray PNG file. Raises OutputError or StorageError."""
    from PIL import Image

    with atomic_write(path) as temporary:
        Image.fromarray(pixels).save(temporary, "PNG")


def _photo_and_mask(image: "Image.Image") -> "tuple[Image.Image, NDArray[np.float32] | None]":
    """The RGB photo, reduced, and the mask that a transparent picture brings."""
    mask = None
    if image.mode == "RGBA":
        alpha = image.getchannel("A")
        if np.asarray(alpha).min() < _OPAQUE:  # a cut-out: its transparency shows the garment
            alpha.thumbnail((_REDUCED_SIDE, _REDUCED_SIDE))
            mask = np.asarray(alpha, np.float32) / np.float32(255)
    return _shrink(image, 255).convert("RGB"), mask


def _shrink(image: "Image.Image", level: int) -> "Image.Image":
    """Average a large picture down on a gray background, in strips: a copy would take too much."""
    from PIL import Image

    factor = max(1, max(image.size) // _REDUCED_SIDE)
    if image.mode != "RGBA":
        return image.reduce(factor)
    whole = Image.new("RGB", (-(-image.width // factor), -(-image.height // factor)))
    rows = factor * max(1, 256 // factor)
    for top in range(0, image.height, rows):
        strip = image.crop((0, top, image.width, min(top + rows, image.height)))
        background = Image.new("RGBA", strip.size, (level, level, level, 255))
        laid = Image.alpha_composite(background, strip).convert("RGB")
        whole.paste(laid.reduce(factor), (0, top // factor))
    return whole


def _of_data_set(image: "Image.Image") -> Images | None:
    """The pixels of an image of the data set, however it was saved; None for other pictures."""
    if image.size != (IMAGE_SIZE, IMAGE_SIZE):
        return None
    pixels = np.array(_shrink(image, 0))
    if pixels.ndim == 3:
        if not (pixels == pixels[:, :, :1]).all():
            return None
        pixels = np.ascontiguousarray(pixels[:, :, 0])
    return pixels if _has_dark_corners(pixels) else None


def _has_dark_corners(pixels: Images) -> bool:
    """Whether the median of the corners is dark, as on a photo only of a dark background.

    Over all 70,000 images of the data set it is at most 52.
    """
    corners = sorted(pixels[:: IMAGE_SIZE - 1, :: IMAGE_SIZE - 1].ravel().tolist())
    return bool(corners[1] + corners[2] < 2 * 128)
