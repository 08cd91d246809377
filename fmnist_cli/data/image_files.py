"""Image files to Pillow images: 8 bits per channel, upright, within limits."""

import os
from collections.abc import Iterator
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from fmnist_cli.constants import IMAGE_SIZE
from fmnist_cli.data.images import Images
from fmnist_cli.errors import DataError, MissingInput, Unavailable

if TYPE_CHECKING:
    from PIL import Image

PICTURE_SUFFIXES: Final = frozenset(
    f".{suffix}"
    for group in (
        ("png", "jpg", "jpeg", "jpe", "jfif", "webp", "bmp", "gif", "tif", "tiff", "avif"),
        ("heic", "heif", "hif", "jp2", "j2k", "jpx", "ppm", "pgm", "pbm", "pnm", "ico", "tga"),
        ("pcx", "psd", "qoi", "dds", "sgi", "icns"),
    )
    for suffix in group
)
_IGNORED_NAMES: Final = frozenset({"__MACOSX", "Thumbs.db", "desktop.ini"})
"""What archives and file managers leave behind; hidden files are ignored as well."""
MAX_PIXELS: Final = 80_000_000
"""Decoding more would take gigabytes; Pillow warns at a little more."""
MAX_JPEG_PIXELS: Final = 120_000_000
"""Of JPEG files that are decoded at a fraction of their size, which takes little memory unless they
are progressive: decoders hold all of those."""
MAX_FILE_BYTES: Final = 4 * MAX_PIXELS
"""Size of the largest picture, uncompressed with alpha."""
_MAX_PIXELS_PER_BYTE: Final = 2_500
_FREE_PIXELS: Final = 4_000_000
"""Larger pictures must have a byte per `_MAX_PIXELS_PER_BYTE`: a kilobyte may claim to be 80
megapixels, and memory is allocated before the decoder finds the end of the data."""
_READ_BYTES: Final = 1 << 16

_MAGIC_FORMATS: Final = (
    *("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "JPEG2000", "PPM", "ICO", "PSD", "QOI"),
    *("DDS", "SGI", "ICNS", "PCX", "XBM", "XPM"),
)
"""Pillow's formats with a signature. EPS is left out because reading it runs Ghostscript, and
stubs are, because Pillow can only name them."""
_FORMATS: Final = (*_MAGIC_FORMATS, "TGA")
_HEIC_BRANDS: Final = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_DRAFT_SIDE: Final = 32 * IMAGE_SIZE
"""Large JPEG files are decoded at a fraction of their size, but no smaller than this."""
_MAX_FRAMES: Final = 100
"""Frames of an animation that are searched for one that is not blank."""
_BLANK_SPREAD: Final = 3
"""Gray levels by which lossy formats may change the pixels of a blank picture."""


def is_hidden(name: str) -> bool:
    """Whether a directory's entry is ignored."""
    return name.startswith(".") or name in _IGNORED_NAMES


def walk(directory: str) -> Iterator[tuple[str, DataError | None]]:
    """Yield the files in and below a directory, depth first and sorted, or why one can't be listed.

    Hidden files and links to directories, which may be circular, are left out. Holds the names of
    one branch in memory.
    """
    waiting = [(directory, True)]
    while waiting:
        path, is_directory = waiting.pop()
        if not is_directory:
            yield path, None
            continue
        try:
            with os.scandir(path) as entries:
                found = [
                    (entry.path, entry.is_dir(follow_symlinks=False))
                    for entry in entries
                    if not is_hidden(entry.name) and not (entry.is_symlink() and entry.is_dir())
                ]
            waiting += sorted(found, reverse=True)
        except OSError as error:
            yield path, DataError(f"the directory '{path}' can't be listed: {error.strerror}")


def is_picture(path: str | Path) -> bool:
    """Whether a file's suffix or its first bytes are those of a picture."""
    name = str(path)
    if name[name.rfind(".") :].lower() in PICTURE_SUFFIXES:
        return True
    from PIL import Image

    try:
        with Path(path).open("rb") as file:
            if _is_heic(file.read(12)):
                return True
            file.seek(0)
            Image.open(file, formats=_MAGIC_FORMATS)
    except Exception:  # noqa: BLE001 - Pillow's readers raise errors of all kinds
        return False
    return True


def read_bytes(descriptor: int) -> bytes:
    """Read a file or pipe to its end, or to just beyond MAX_FILE_BYTES."""
    pieces, size = [], 0
    while size <= MAX_FILE_BYTES and (piece := os.read(descriptor, _READ_BYTES)):
        pieces.append(piece)
        size += len(piece)
    return b"".join(pieces)


def read_file(path: str | Path) -> bytes:
    """Read a file, at most to just beyond MAX_FILE_BYTES. Raises MissingInput or DataError."""
    try:
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - faster than pathlib
            return read_bytes(file.fileno())
    except (FileNotFoundError, ValueError):  # the latter for a NUL in the path
        raise MissingInput(f"no file at '{path}'") from None
    except OSError as error:
        raise DataError(f"'{path}' can't be read: {error.strerror}") from None


def load_image(content: bytes, max_pixels: int = MAX_PIXELS) -> "Image.Image":
    """Decode to 8 bits per channel, upright: mode L, RGB or RGBA."""
    from PIL import Image, ImageSequence, UnidentifiedImageError

    try:
        with _open(content) as image:
            for frame in islice(ImageSequence.Iterator(image), _MAX_FRAMES):
                upright = _upright(frame, len(content), max_pixels)
                if not _is_blank(upright):
                    return upright
    except (DataError, Unavailable):
        raise
    except UnidentifiedImageError:
        raise DataError("it is not an image file, or a damaged one") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise DataError(f"it has more than {max_pixels:,} pixels") from None
    except Exception as error:  # noqa: BLE001 - Pillow's readers raise errors of all kinds
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise DataError(f"it is damaged: {reason}") from None
    raise DataError("it is blank: all of its pixels are the same, or transparent")


def claimed_pixels(content: bytes) -> int:
    """Width times height as the head of an image file states them; 0 if it is not an image."""
    try:
        with _open(content) as image:
            return image.width * image.height
    except Exception:  # noqa: BLE001 - Pillow's readers raise errors of all kinds
        return 0


def _open(content: bytes) -> "Image.Image":
    from PIL import Image

    if not _is_heic(content):
        return Image.open(BytesIO(content), formats=_FORMATS)
    try:
        import pillow_heif
    except ModuleNotFoundError:
        raise Unavailable(
            "it is a HEIC photo, which needs a package: pip install 'fmnist-cli[heic]'"
        ) from None
    pillow_heif.register_heif_opener()
    return Image.open(BytesIO(content), formats=["HEIF"])


def _is_heic(content: bytes) -> bool:
    return content[4:8] == b"ftyp" and content[8:12] in _HEIC_BRANDS and b"avif" not in content[:40]


def _upright(image: "Image.Image", file_bytes: int, max_pixels: int) -> "Image.Image":
    """Decode the current frame, turned as its EXIF tag says."""
    from PIL import ImageOps

    width, height = image.size
    pixels = width * height
    image.draft(None, (_DRAFT_SIDE, _DRAFT_SIDE))
    if image.format in ("JPEG", "MPO"):
        is_large = "progressive" in image.info or image.width * image.height > _FREE_PIXELS
        max_pixels = min(4 * max_pixels, MAX_PIXELS if is_large else MAX_JPEG_PIXELS)
    if pixels > max_pixels:
        raise DataError(f"it has {width:,}×{height:,} pixels; expected at most {max_pixels:,}")
    if pixels > max(_FREE_PIXELS, _MAX_PIXELS_PER_BYTE * file_bytes):
        raise DataError(f"it is damaged or blank: {pixels:,} pixels in {file_bytes:,} bytes")
    ImageOps.exif_transpose(image, in_place=True)  # loads it, too
    return _to_8_bits(image)


def _to_8_bits(image: "Image.Image") -> "Image.Image":
    from PIL import Image

    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        return Image.fromarray(_scale(np.asarray(image)))
    mode = "L" if image.mode in ("1", "L") else "RGB"
    if image.has_transparency_data:
        mode = "RGBA"
    return image if image.mode == mode else image.convert(mode)


def _scale(values: NDArray[Any]) -> Images:
    """Scale numbers of more than 8 bits; their range shows which white they were stored with.

    A gray level v that was stored as v, v * 257 or v / 255 becomes v again.
    """
    lowest, highest = float(values.min()), float(values.max())
    if not 0 <= lowest <= highest < 2**32:  # false for NaN, too
        raise DataError(
            f"its pixels have values from {lowest:g} to {highest:g}; expected 0 to 1, 0 to 255 or "
            "0 to 65535"
        )
    if values.dtype.kind == "f" and highest <= 1:
        return (values * 255).round().astype(np.uint8)
    if highest <= 255:
        return values.round().astype(np.uint8)
    white = 2**16 - 1 if highest < 2**16 else 2**32 - 1
    return (values / (white / 255)).astype(np.uint8)


def _is_blank(image: "Image.Image") -> bool:
    found: Any = image.getextrema()
    bands = [found] if image.mode == "L" else found
    if image.mode == "RGBA" and bands[3][1] == 0:
        return True
    spread = 0 if image.size == (IMAGE_SIZE, IMAGE_SIZE) else _BLANK_SPREAD
    return all(highest - lowest <= spread for lowest, highest in bands)
