"""Decoding: every form of the same picture gives the same pixels; anything else gives DataError."""

import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, features

from fmnist_cli.constants import TEST_IMAGES
from fmnist_cli.data import pictures
from fmnist_cli.data.idx import read_images
from fmnist_cli.data.image_files import claimed_pixels, is_picture
from fmnist_cli.data.images import Images
from fmnist_cli.data.pictures import decode, decode_data_set_image
from fmnist_cli.errors import DataError, MissingInput, Unavailable
from tests.data.hostile_pictures import png_claiming
from tests.memory import measured
from tests.platforms import POSIX
from tests.sample_images import draw, photograph, saved


def garment() -> Images:
    """An image in the manner of the data set: asymmetric, every gray level, on black."""
    image = np.zeros((28, 28), np.uint8)
    image[2:26, 6:20] = np.arange(24 * 14).reshape(24, 14) % 256
    image[4:8, 20:27] = 200
    return image


def wide(factor: float, dtype: type, form: str = "TIFF") -> Callable[[Images], bytes]:
    """A writer of gray levels of more than 8 bits."""
    return lambda pixels: saved(Image.fromarray(pixels.astype(dtype) * dtype(factor)), form)


def as_palette(pixels: Images) -> Image.Image:
    """Palette entries in an order of their own, so that indices are not gray levels."""
    order = np.random.default_rng(0).permutation(256).astype(np.uint8)
    image = Image.fromarray(np.argsort(order).astype(np.uint8)[pixels])
    indexed = Image.frombytes("P", image.size, image.tobytes())
    indexed.putpalette(np.repeat(order, 3).tobytes())
    return indexed


def turned(pixels: Images, orientation: int, form: str) -> bytes:
    """A file whose pixels are turned, with the EXIF tag that says how to turn them back."""
    undo = {
        3: Image.Transpose.ROTATE_180,
        6: Image.Transpose.ROTATE_90,
        8: Image.Transpose.ROTATE_270,
    }
    exif = Image.Exif()
    exif[0x0112] = orientation
    return saved(Image.fromarray(pixels).transpose(undo[orientation]), form, exif=exif)


def animated(*frames: Images) -> bytes:
    first, *others = map(Image.fromarray, frames)
    return saved(first, "GIF", save_all=True, append_images=others)


def on_transparent(pixels: Images) -> Image.Image:
    """The garment alone is opaque; everything else is gray, but can't be seen."""
    is_garment = pixels > 0
    gray = np.where(is_garment, pixels, np.uint8(77))
    return Image.fromarray(np.dstack([gray] * 3 + [np.uint8(255) * is_garment]))


def plain(form: str, mode: str = "L", **options: Any) -> Callable[[Images], bytes]:
    return lambda pixels: saved(Image.fromarray(pixels).convert(mode), form, **options)


FORMS: dict[str, Callable[[Images], bytes]] = {
    "gray PNG": plain("PNG"),
    "RGB PNG": plain("PNG", "RGB"),
    "RGBA PNG": plain("PNG", "RGBA"),
    "gray PNG with alpha": plain("PNG", "LA"),
    "palette PNG": lambda pixels: saved(as_palette(pixels), "PNG"),
    "16-bit PNG": wide(257, np.uint16, "PNG"),
    "16-bit TIFF": wide(257, np.uint16),
    "TIFF": plain("TIFF", compression="tiff_lzw"),
    "BMP": plain("BMP"),
    "GIF": plain("GIF"),
    "lossless WebP": plain("WEBP", lossless=True),
    "half-turned PNG": lambda pixels: turned(pixels, 3, "PNG"),
    "PNG turned right": lambda pixels: turned(pixels, 6, "PNG"),
    "TIFF turned left": lambda pixels: turned(pixels, 8, "TIFF"),
    "float TIFF, 0 to 1": wide(1 / 255, np.float32),
    "float TIFF, 0 to 255": wide(1, np.float32),
    "float TIFF, 0 to 65535": wide(257, np.float32),
    "32-bit TIFF, 0 to 255": wide(1, np.int32),
    "32-bit TIFF, 0 to 65535": wide(257, np.int32),
    "16-bit TIFF, 0 to 255": wide(1, np.uint16),
    "PGM": plain("PPM"),
    "PPM": plain("PPM", "RGB"),
    "lossless JPEG 2000": plain("JPEG2000"),
    "ICO": plain("ICO", "RGBA", sizes=[(28, 28)], bitmap_format="bmp"),
    "TGA": plain("TGA"),
    "cut-out PNG": lambda pixels: saved(on_transparent(pixels), "PNG"),
    "animation": lambda pixels: animated(pixels, np.flipud(pixels)),
    "animation that begins blank": lambda pixels: animated(0 * pixels, 0 * pixels, pixels),
}


@pytest.mark.parametrize("form", FORMS)
def test_each_form_of_a_data_set_image_passes_bit_for_bit(form: str, tmp_path: Path) -> None:
    path = tmp_path / "a [b] 图"  # the content decides, not the name
    for pixels in (garment(), *draw(50, "test").images):
        path.write_bytes(FORMS[form](pixels))
        picture = decode(path)
        assert not picture.prepared
        np.testing.assert_array_equal(picture.pixels, pixels)


def test_real_images_are_recognized_and_their_negatives_are_not(mirror: Path) -> None:
    for pixels in read_images(mirror / TEST_IMAGES.name)[:1000]:
        assert pictures._of_data_set(Image.fromarray(pixels)) is not None
        assert pictures._of_data_set(Image.fromarray(255 - pixels)) is None


@POSIX
def test_a_named_pipe_is_read_to_its_end(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (900, 1_000), np.uint8)
    content = saved(Image.fromarray(pixels), "PNG")
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(target=(tmp_path / "pipe").write_bytes, args=(content,))
    writer.start()
    piped = decode(tmp_path / "pipe", photo="off")
    writer.join()
    np.testing.assert_array_equal(piped.pixels, decode(content, photo="off").pixels)


@pytest.mark.parametrize("form", ["JPEG", "AVIF"])
def test_lossy_formats_are_close(form: str) -> None:
    if not features.check("avif") and form == "AVIF":
        pytest.skip("Pillow was built without AVIF")
    smooth = Image.fromarray(garment()).resize((7, 7)).resize((28, 28))
    decoded = decode(saved(smooth.convert("RGB"), form, quality=95), photo="off").pixels
    assert np.abs(decoded.astype(int) - np.asarray(smooth)).max() <= 16


def test_a_rotated_jpeg_is_turned_upright() -> None:
    pixels = np.zeros((28, 28), np.uint8)
    pixels[3:12, 3:25] = 255
    decoded = decode(turned(pixels, 6, "JPEG"), photo="off").pixels
    assert decoded[5, 14] > 200
    assert decoded[22, 14] < 50


@pytest.mark.parametrize("ground", [0, 250])
def test_transparency_shows_where_the_garment_is(ground: int) -> None:
    pixels = np.full((200, 300, 4), (ground, ground, ground, 0), np.uint8)
    pixels[50:150, 100:180] = (40, 40, 40, 255)
    found = decode(saved(Image.fromarray(pixels), "PNG"))
    assert found.prepared
    assert found.pixels[2:26, 5:23].min() > 190
    assert found.pixels[:, [0, 27]].max() == 0


NEGATIVE = 255 - garment()
COLORED = np.dstack([garment(), garment() // 2, garment()])


@pytest.mark.parametrize(
    ("pixels", "photo", "prepared"),
    [(garment(), "on", True), (NEGATIVE, "auto", True), (COLORED, "auto", True),
     (NEGATIVE, "off", False)],
)  # fmt: skip
def test_the_mode_and_the_look_decide_what_is_a_photo(
    pixels: Images, photo: pictures.PhotoMode, prepared: bool
) -> None:
    picture = decode(saved(Image.fromarray(pixels), "PNG"), photo=photo)
    assert picture.prepared == prepared
    assert prepared or np.array_equal(picture.pixels, pixels)


def test_photo_off_shrinks_a_large_picture() -> None:
    halves = np.full((90, 60, 3), 120, np.uint8)
    halves[45:] = 7
    large = decode(saved(Image.fromarray(halves), "PNG"), photo="off").pixels
    np.testing.assert_array_equal(large[[0, 27], 14], [120, 7])


def test_what_is_no_file_is_named(tmp_path: Path) -> None:
    for name in ("gone.png", "a\0b.png"):
        with pytest.raises(MissingInput, match="no file at"):
            decode(tmp_path / name)
    with pytest.raises(DataError, match="can't be read: Is a directory"):
        decode(tmp_path)


def with_pixel(value: float) -> Image.Image:
    pixels = np.zeros((28, 28), np.float32)
    pixels[5, 5] = value
    return Image.fromarray(pixels)


def halved(form: str) -> bytes:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64), np.uint8)
    content = saved(Image.fromarray(noise), form)
    return content[: len(content) // 2]


BLANK = {
    "black": Image.new("L", (28, 28)),
    "white": Image.new("L", (28, 28), 255),
    "one color": Image.new("RGB", (90, 60), (120, 30, 200)),
    "transparent": Image.new("RGBA", (90, 60), (120, 30, 200, 0)),
    "transparent garment": Image.fromarray(np.dstack([garment()] * 3 + [0 * garment()])),
}
REFUSED = {
    "nothing": (b"", "not an image file"),
    "a table": (b"label,pixel1\n", "not an image file"),
    "PostScript": (b"%!PS-Adobe-3.0 EPSF-3.0\n", "not an image file"),
    **{f"half a {form}": (halved(form), "damaged")
       for form in ("PNG", "JPEG", "WEBP", "TIFF", "GIF")},
    **{f"{n:,} squared": (png_claiming(n, n), "80,000,000") for n in (9_000, 12_000, 100_000)},
    **{name: (saved(image, "PNG"), "blank") for name, image in BLANK.items()},
    **{f"a pixel of {value}": (saved(with_pixel(value), "TIFF"), "expected 0 to 1")
       for value in (-1.0, np.nan, np.inf)},
}  # fmt: skip


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("photo", ["auto", "on", "off"])
@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_picture_is_refused(name: str, photo: pictures.PhotoMode) -> None:
    content, words = REFUSED[name]
    with pytest.raises(DataError, match=words) as caught:
        decode(content, photo=photo)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_a_jpeg_photo_of_108_megapixels_takes_little_memory() -> None:
    photo = photograph(draw(1, "train").images[0]).resize((12_000, 9_000))
    content, progressive = saved(photo, "JPEG"), saved(photo, "JPEG", progressive=True)
    narrow = saved(photo.resize((1_500, 64_000)), "JPEG")  # can't be decoded at a fraction
    del photo
    with measured() as peak:
        assert decode(content).prepared
    assert peak.extra_bytes < 150e6
    for refused in (progressive, narrow):
        with pytest.raises(DataError, match=r"pixels; expected at most 80,000,000"):
            decode(refused)


def test_a_file_that_is_too_long_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "MAX_FILE_BYTES", 100)
    with pytest.raises(DataError, match="more than 100 bytes"):
        decode(FORMS["BMP"](garment()))


@pytest.mark.parametrize("name", ["a.heic", "a.jpg", "a"])
def test_heic_is_read_whatever_its_name(tmp_path: Path, name: str) -> None:
    heif = pytest.importorskip("pillow_heif")
    smooth = Image.fromarray(garment()).resize((7, 7)).resize((56, 56))
    heif.from_pillow(smooth).save(tmp_path / "saved.heic", quality=100)
    path = (tmp_path / "saved.heic").rename(tmp_path / name)
    assert is_picture(path)
    expected = np.asarray(smooth.resize((28, 28)))
    difference = decode(path, photo="off").pixels.astype(int) - expected
    assert np.abs(difference).max() <= 16


def test_without_its_package_heic_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(Unavailable, match=r"pip install 'fmnist-cli\[heic\]'"):
        decode(b"\0\0\0\x18ftypheic" + bytes(100))


@given(
    form=st.sampled_from(sorted(FORMS)),
    position=st.floats(0, 1, exclude_max=True),
    replacement=st.binary(min_size=1, max_size=8),
)
def test_damaged_bytes_give_pixels_or_a_data_error(
    form: str, position: float, replacement: bytes
) -> None:
    content = bytearray(FORMS[form](garment()))
    start = int(position * len(content))
    content[start : start + len(replacement)] = replacement
    try:
        pixels = decode(bytes(content)).pixels
    except DataError:
        return
    assert pixels.dtype == np.uint8
    assert pixels.shape == (28, 28)


def test_write_png_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "new" / "seen.png"
    pictures.write_png(path, garment())
    np.testing.assert_array_equal(decode(path).pixels, garment())


def test_only_plain_images_of_the_data_set_are_decoded_on_the_fast_path() -> None:
    image = draw(1, "test").images[0]
    gray = Image.fromarray(image)
    picture = decode_data_set_image(saved(gray, "PNG"))
    assert picture is not None
    np.testing.assert_array_equal(picture.pixels, image)
    exif = Image.Exif()
    exif[0x0112] = 3
    for content in (
        b"no picture",
        saved(gray, "PNG")[:-40],
        saved(gray, "BMP"),
        saved(gray, "PNG", exif=exif),
        saved(gray, "PNG", transparency=0),
        saved(gray, "PNG", save_all=True, append_images=[Image.fromarray(image.T)]),
        saved(gray.convert("RGB"), "PNG"),
        saved(gray.resize((56, 56)), "PNG"),
        saved(Image.fromarray(255 - image), "PNG"),
        saved(Image.new("L", (28, 28)), "PNG"),
    ):
        assert decode_data_set_image(content) is None


def test_a_limit_on_pixels_and_what_a_head_claims() -> None:
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 255, (200, 200), np.uint8))
    png, jpeg = saved(noise, "PNG"), saved(noise, "JPEG")
    assert claimed_pixels(png) == claimed_pixels(jpeg) == 40_000
    assert claimed_pixels(b"no picture") == 0
    with pytest.raises(DataError, match="at most 39,999"):
        decode(png, photo="off", max_pixels=39_999)
    decode(png, photo="off", max_pixels=40_000)
    decode(jpeg, photo="off", max_pixels=10_000)
    with pytest.raises(DataError, match="at most 39,996"):
        decode(jpeg, photo="off", max_pixels=9_999)
