"""Image files to 28×28 images like those of the data set: uint8, bright on black."""

import os
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fmnist_cli.constants import IMAGE_SIZE
from fmnist_cli.data.images import Images
from fmnist_cli.errors import DataError, MissingInput, Unavailable
from fmnist_cli.files import atomic_write

if TYPE_CHECKING:
    from PIL import Image

PhotoMode: TypeAlias = Literal["auto", "on", "off"]
"""Whether to prepare a picture as a photo; `auto` decides from the picture."""

PICTURE_SUFFIXES: Final = frozenset(
    f".{suffix}"
    for group in (
        ("png", "jpg", "jpeg", "jpe", "jfif", "webp", "bmp", "gif", "tif", "tiff", "avif"),
        ("heic", "heif", "hif", "jp2", "j2k", "jpx", "ppm", "pgm", "pbm", "pnm", "ico", "tga"),
        ("pcx", "psd", "qoi", "dds", "sgi", "icns"),
    )
    for suffix in group
)
IGNORED_NAMES: Final = frozenset({"__MACOSX", "Thumbs.db", "desktop.ini"})
"""What archives and file managers leave behind; hidden files are ignored as well."""
MAX_PIXELS: Final = 80_000_000
"""Decoding more would take gigabytes; Pillow warns at a little more."""
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
_UPRIGHT: Final = 1
"""EXIF orientation of a picture that needs no turning."""
_DRAFT_SIDE: Final = 32 * IMAGE_SIZE
"""Large JPEG files are decoded at a fraction of their size, but no smaller than this."""
_OPAQUE: Final = 128
"""Alpha values below are transparent."""
_MAX_FRAMES: Final = 100
"""Frames of an animation that are searched for one that is not blank."""
_STEP_SIDE: Final = 8 * IMAGE_SIZE
_BLANK_SPREAD: Final = 3
"""Gray levels by which lossy formats may change the pixels of a blank picture."""


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
    at a fraction of their size, may have four times as many.
    Raises MissingInput if the file does not exist, Unavailable if its format needs a package that
    is not installed, and DataError if it is not a picture, damaged, too large or blank.
    """
    content = source if isinstance(source, bytes) else _read(source)
    name = "the picture" if isinstance(source, bytes) else f"'{source}'"
    try:
        if len(content) > MAX_FILE_BYTES:
            raise DataError(f"it has more than {MAX_FILE_BYTES:,} bytes")
        image = _load(content, max_pixels)
        if photo == "off":
            return Picture(_resized(image), prepared=False)
        if photo == "auto" and (pixels := _of_data_set(image)) is not None:
            return Picture(pixels, prepared=False)
        return Picture(_prepare(image), prepared=True)
    except (DataError, Unavailable) as error:
        raise type(error)(f"{name} can't be used: {error}") from None


def claimed_pixels(content: bytes) -> int:
    """Width times height as the head of an image file states them; 0 if it is not an image."""
    try:
        with _open(content) as image:
            return image.width * image.height
    except Exception:  # noqa: BLE001 - Pillow's readers raise errors of all kinds
        return 0


def decode_data_set_image(content: bytes) -> Picture | None:
    """What `decode` returns for a plain gray 28×28 PNG file that shows an image of the data set.

    None for any other content, even if `decode` would return the same. Faster than `decode`, and it
    never prepares a photo, so that an event loop can call it.
    """
    from PIL import Image

    try:
        with Image.open(BytesIO(content), formats=["PNG"]) as image:
            # `info` holds everything that would have to be looked at: EXIF, transparency, frames.
            if image.mode != "L" or image.size != (IMAGE_SIZE, IMAGE_SIZE) or image.info:
                return None
            pixels = np.array(image)
    except Exception:  # noqa: BLE001 - Pillow's readers raise errors of all kinds
        return None
    is_blank = pixels.min() == pixels.max()
    return None if is_blank or not _has_dark_corners(pixels) else Picture(pixels, prepared=False)


def draw_steps(path: Path) -> "Image.Image":
    """Draw a photo, what was found in it, and the network's input, 224 pixels high, side by side.

    Raises what `decode` raises.
    """
    from PIL import Image

    from fmnist_cli.photos.finder import find_garment
    from fmnist_cli.photos.photo import prepare_photo

    photo, mask = _photo_and_mask(_load(_read(path)))
    pixels = prepare_photo(photo, mask)
    found = Image.fromarray(find_garment(photo) if mask is None else mask)
    height, width = _STEP_SIDE, max(1, round(photo.width * _STEP_SIDE / photo.height))
    shown = photo.resize((width, height))
    cover = found.resize((width, height)).point(lambda share: share * 255).convert("L")
    garment = Image.composite(shown, Image.new("RGB", shown.size, "white"), cover)
    seen = Image.fromarray(pixels).resize((height, height), Image.Resampling.NEAREST)
    steps = Image.new("RGB", (2 * width + height, height))
    for left, step in ((0, shown), (width, garment), (2 * width, seen)):
        steps.paste(step, (left, 0))
    return steps


def is_picture(path: Path) -> bool:
    """Whether a file's suffix or its first bytes are those of a picture."""
    from PIL import Image

    if path.suffix.lower() in PICTURE_SUFFIXES:
        return True
    try:
        with path.open("rb") as file:
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


def write_png(path: Path, pixels: Images) -> None:
    """Write uint8 [28, 28] as a gray PNG file. Raises OutputError or StorageError."""
    from PIL import Image

    with atomic_write(path) as temporary:
        Image.fromarray(pixels).save(temporary, "PNG")


def _read(path: str | Path) -> bytes:
    try:
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - pathlib takes twice as long
            return read_bytes(file.fileno())
    except FileNotFoundError:
        raise MissingInput(f"no file at '{path}'") from None
    except OSError as error:
        raise DataError(f"'{path}' can't be read: {error.strerror}") from None
    except ValueError:  # a NUL in the path
        raise MissingInput(f"no file at {str(path)!r}") from None


def _load(content: bytes, max_pixels: int = MAX_PIXELS) -> "Image.Image":
    """Decode to 8 bits per channel, upright: mode L, RGB or RGBA."""
    from PIL import Image, UnidentifiedImageError

    try:
        with _open(content) as image:
            for number in range(_MAX_FRAMES):
                if number and not _seek(image, number):
                    break
                frame = _frame(image, len(content), max_pixels)
                if not _is_blank(frame):
                    return frame
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


def _seek(image: "Image.Image", number: int) -> bool:
    try:
        image.seek(number)
    except EOFError:
        return False
    return True


def _frame(image: "Image.Image", file_bytes: int, max_pixels: int) -> "Image.Image":
    """Decode the current frame."""
    from PIL import ExifTags, ImageOps

    pixels = image.width * image.height
    if image.format in ("JPEG", "MPO"):
        max_pixels = min(4 * max_pixels, MAX_PIXELS)
    if pixels > max_pixels:
        raise DataError(
            f"it has {image.width:,}×{image.height:,} pixels; expected at most {max_pixels:,}"
        )
    if pixels > max(_FREE_PIXELS, _MAX_PIXELS_PER_BYTE * file_bytes):
        raise DataError(f"it is damaged or blank: {pixels:,} pixels in {file_bytes:,} bytes")
    image.draft(None, (_DRAFT_SIDE, _DRAFT_SIDE))
    if image.getexif().get(ExifTags.Base.Orientation, _UPRIGHT) != _UPRIGHT:
        return _to_8_bits(ImageOps.exif_transpose(image))
    return _to_8_bits(image)


def _to_8_bits(image: "Image.Image") -> "Image.Image":
    from PIL import Image

    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        return Image.fromarray(_scale(np.asarray(image)))
    mode = "L" if image.mode in ("1", "L") else "RGB"
    if image.has_transparency_data:
        mode = "RGBA"
    if image.mode != mode:
        return image.convert(mode)
    image.load()
    # Reading the next frame would change it; without one, a copy would only take memory.
    has_next = image.format not in ("JPEG", "PNG", None) or getattr(image, "n_frames", 1) > 1
    return image.copy() if has_next else image


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


def _prepare(image: "Image.Image") -> Images:
    from fmnist_cli.photos.photo import prepare_photo

    return prepare_photo(*_photo_and_mask(image))


def _photo_and_mask(image: "Image.Image") -> "tuple[Image.Image, NDArray[np.float32] | None]":
    """The RGB photo, reduced, and the mask that a transparent picture brings."""
    mask = None
    if image.mode == "RGBA":
        alpha = image.getchannel("A")
        if np.asarray(alpha).min() < _OPAQUE:  # a cut-out: its transparency shows the garment
            alpha.thumbnail((8 * IMAGE_SIZE, 8 * IMAGE_SIZE))
            mask = np.asarray(alpha, np.float32) / np.float32(255)
    return _shrink(image, 255).convert("RGB"), mask


def _shrink(image: "Image.Image", level: int) -> "Image.Image":
    """Average a large picture down on a gray background, in strips: a copy would take too much."""
    from PIL import Image

    factor = max(1, max(image.size) // (8 * IMAGE_SIZE))
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


def _resized(image: "Image.Image") -> Images:
    gray = _shrink(image, 0) if image.mode == "RGBA" else image
    return np.array(gray.convert("L").resize((IMAGE_SIZE, IMAGE_SIZE)))
