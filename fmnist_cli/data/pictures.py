"""Picture files to images of the data set's form: uint8 [28, 28], bright on black."""

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import numpy as np

from fmnist_cli.constants import IMAGE_SIZE
from fmnist_cli.data.images import Images
from fmnist_cli.data.plain_png import PNG_END, undo_filters, unpack_plain_png
from fmnist_cli.errors import DataError, MissingInput
from fmnist_cli.files import atomic_write

if TYPE_CHECKING:
    from PIL import Image

PhotoMode: TypeAlias = Literal["auto", "on", "off"]
"""Whether a picture is prepared as a photo; `auto` decides by the picture."""

PICTURE_SUFFIXES: Final = frozenset(
    {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff"}
)
MAX_PIXELS: Final = 80_000_000
"""Decoding more would take gigabytes; Pillow's own first limit is a little higher."""
MAX_FILE_BYTES: Final = 4 * MAX_PIXELS
"""The largest picture that is allowed, uncompressed with alpha."""
_STRIP_ROWS: Final = 256
"""Laid on a background at once: three more copies of a large picture would take gigabytes."""
_PIECE_BYTES: Final = 1 << 20
_FIRST_BYTES: Final = 4096
"""Enough for a picture of the data set."""
_READ: Final = os.O_RDONLY | getattr(os, "O_BINARY", 0)
"""Windows would turn line ends into others."""

_FORMATS: Final = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF")
_FORMATS_TEXT: Final = "PNG, JPEG, WebP, BMP, GIF or TIFF"
_UPRIGHT: Final = 1
"""EXIF's orientation of a picture that is not to be turned."""
_DRAFT_SIDE: Final = 32 * IMAGE_SIZE
"""JPEG photos are decoded at a fraction of their size, but at least at this."""


@dataclass(frozen=True, slots=True)
class Picture:
    """What the network sees of one picture."""

    pixels: Images
    """uint8 [28, 28]."""
    prepared: bool
    """Whether it was prepared as a photo; otherwise its pixels are as they were in the file."""


@dataclass(frozen=True, slots=True)
class PlainFile:
    """A picture file of the data set's form, read but not yet decoded: many go at once."""

    name: str
    """What an error calls it."""
    content: bytes
    rows: bytes
    """As `unpack_plain_png` gives them."""
    photo: PhotoMode


def decode(source: str | Path | bytes, *, photo: PhotoMode = "auto") -> Picture:
    """Read a picture file, or the bytes of one.

    Any size; gray, color, alpha, palette, 8 or 16 bits a channel; turned as its EXIF tag says; the
    first frame of an animation. As a photo it is prepared as the data set's authors did
    (`prepare_photo`), alpha on white; otherwise it becomes gray, alpha on black, stretched to
    28×28 where it has another size. `auto` takes a gray 28×28 picture with dark corners for an
    image of the data set, and everything else for a photo.

    Raises MissingInput where there is no file, DataError where it is no picture, damaged or too
    large, or where a photo shows nothing but background.
    """
    begun = begin_decoding(source, photo=photo)
    if isinstance(begun, Picture):
        return begun
    (outcome,) = finish_decoding([begun])
    if isinstance(outcome, DataError):
        raise outcome
    return outcome


def begin_decoding(source: str | Path | bytes, *, photo: PhotoMode = "auto") -> Picture | PlainFile:
    """Read a picture as `decode` does, but leave what is done for many at once to be done."""
    content = source if isinstance(source, bytes) else _read(source)
    name = "the picture" if isinstance(source, bytes) else f"'{source}'"
    rows = None if photo == "on" else unpack_plain_png(content)
    if rows is not None:
        return PlainFile(name, content, rows, photo)
    return _decode_any(name, content, photo)


def finish_decoding(files: Sequence[PlainFile]) -> list[Picture | DataError]:
    """Decode plain files, each to what `decode` gives for it or raises."""
    images = undo_filters([file.rows for file in files])
    found: list[Picture | DataError] = []
    for file, pixels, is_dark in zip(files, images, _have_dark_corners(images), strict=True):
        if is_dark or file.photo == "off":
            found.append(Picture(pixels, prepared=False))
            continue
        try:
            found.append(_decode_any(file.name, file.content, file.photo))
        except DataError as error:
            found.append(error)
    return found


def _decode_any(name: str, content: bytes, photo: PhotoMode) -> Picture:
    try:
        if len(content) > MAX_FILE_BYTES:
            raise DataError(f"it has more than {MAX_FILE_BYTES:,} bytes")
        image = _decode(content)
        if photo == "off":
            return Picture(_as_it_is(image), prepared=False)
        if photo == "auto" and (pixels := _of_data_set(image)) is not None:
            return Picture(pixels, prepared=False)
        from fmnist_cli.photos.photo import prepare_photo, shrink

        # Made small before it has three colors: of a large one that would take gigabytes.
        colors = np.asarray(shrink(_on_background(image, 255)).convert("RGB"))
        return Picture(prepare_photo(colors), prepared=True)
    except DataError as error:
        raise DataError(f"{name} can't be used: {error}") from None


def write_png(path: Path, pixels: Images) -> None:
    """Write uint8 [28, 28] as a gray PNG file. Raises OutputError or StorageError."""
    from PIL import Image

    with atomic_write(path) as temporary:
        Image.fromarray(pixels).save(temporary, "PNG")


def _read(path: str | Path) -> bytes:
    """A file's bytes; of a longer one than a picture may be, a few more than those."""
    try:
        descriptor = os.open(path, _READ)  # a file object takes twice as long to make
        try:
            first = os.read(descriptor, _FIRST_BYTES)
            if first.endswith(PNG_END) and len(first) < _FIRST_BYTES:
                return first  # no need to ask how long it is, or to be told that it ends here
            return b"".join([first, *_rest(descriptor, len(first))])
        finally:
            os.close(descriptor)
    except FileNotFoundError:
        raise MissingInput(f"no file at '{path}'") from None
    except OSError as error:
        raise DataError(f"'{path}' can't be read: {error.strerror}") from None
    except ValueError:  # a NUL in the path
        raise MissingInput(f"no file at {str(path)!r}") from None


def _rest(descriptor: int, length: int) -> Iterator[bytes]:
    """What follows the first `length` bytes, in pieces: memory is taken for what there is."""
    status = os.fstat(descriptor)
    most = min(status.st_size, MAX_FILE_BYTES) + 1
    while length <= MAX_FILE_BYTES and (piece := os.read(descriptor, most)):
        yield piece
        length += len(piece)
        if length == status.st_size and stat.S_ISREG(status.st_mode):
            return
        most = _PIECE_BYTES  # what has no size, such as a pipe


def _decode(content: bytes) -> "Image.Image":
    """Decode to 8 bits a channel, upright: mode L, RGB or RGBA."""
    from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

    try:
        with Image.open(BytesIO(content), formats=_FORMATS) as image:
            _check_size(image)
            image.draft(None, (_DRAFT_SIDE, _DRAFT_SIDE))
            if image.getexif().get(ExifTags.Base.Orientation, _UPRIGHT) != _UPRIGHT:
                return _to_8_bits(ImageOps.exif_transpose(image))
            return _to_8_bits(image)
    except DataError:
        raise
    except UnidentifiedImageError:
        raise DataError(f"it is no {_FORMATS_TEXT} picture") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise DataError(f"it has more than {MAX_PIXELS:,} pixels") from None
    except Exception as error:  # noqa: BLE001 - Pillow's decoders let any error of theirs through
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise DataError(f"it is damaged: {reason}") from None


def _check_size(image: "Image.Image") -> None:
    if image.width * image.height > MAX_PIXELS:
        raise DataError(
            f"it has {image.width:,}×{image.height:,} pixels; expected {MAX_PIXELS:,} at most"
        )


def _to_8_bits(image: "Image.Image") -> "Image.Image":
    from PIL import Image

    if image.mode.startswith("I;16"):
        # The high byte, so that a gray level v that was stored as v * 257 is v again.
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if image.mode in ("I", "F"):
        raise DataError("it has 32 bits a pixel; expected 8 or 16 a channel")
    if image.has_transparency_data:
        return image.convert("RGBA")
    if image.mode == "L":
        image.load()  # while its file is open
        return image
    return image.convert("L" if image.mode == "1" else "RGB")


def _on_background(image: "Image.Image", level: int) -> "Image.Image":
    """Lay a picture with alpha on gray of that level."""
    from PIL import Image

    if image.mode != "RGBA":
        return image
    if image.height <= _STRIP_ROWS:
        background = Image.new("RGBA", image.size, (level, level, level, 255))
        return Image.alpha_composite(background, image).convert("RGB")
    whole = Image.new("RGB", image.size)
    for top in range(0, image.height, _STRIP_ROWS):
        strip = image.crop((0, top, image.width, min(top + _STRIP_ROWS, image.height)))
        whole.paste(_on_background(strip, level), (0, top))
    return whole


def _of_data_set(image: "Image.Image") -> Images | None:
    """The pixels of an untouched image of the data set, in whatever form it was saved.

    None where it is none.
    """
    if image.size != (IMAGE_SIZE, IMAGE_SIZE):
        return None
    pixels = np.array(_on_background(image, 0))
    if pixels.ndim == 3:
        if not (pixels == pixels[:, :, :1]).all():
            return None
        pixels = np.ascontiguousarray(pixels[:, :, 0])
    return pixels if _have_dark_corners(pixels[None])[0] else None


def _have_dark_corners(images: Images) -> list[bool]:
    """Whether the median of the four corners is dark, for each of uint8 [N, 28, 28].

    Over all 70,000 images it is at most 52 (measured); of a garment on a light background it is
    high.
    """
    corners = np.sort(images[:, :: IMAGE_SIZE - 1, :: IMAGE_SIZE - 1].reshape(-1, 4), axis=1)
    is_dark: list[bool] = (corners[:, 1:3].sum(axis=1) < 2 * 128).tolist()
    return is_dark


def _as_it_is(image: "Image.Image") -> Images:
    gray = _on_background(image, 0).convert("L")
    if gray.size != (IMAGE_SIZE, IMAGE_SIZE):
        gray = gray.resize((IMAGE_SIZE, IMAGE_SIZE))
    return np.array(gray)
