"""The quick way into plain PNG files gives what Pillow gives, or leaves the file alone."""

import struct
import zlib
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from fmnist_cli.data import pictures
from fmnist_cli.data.images import Images
from fmnist_cli.data.pictures import decode
from fmnist_cli.data.plain_png import undo_filters, unpack_plain_png
from fmnist_cli.errors import DataError
from tests.data.test_pictures import FORMS, garment

SIGNATURE = b"\x89PNG\r\n\x1a\n"
FILTERS = {"none": 0, "sub": 1, "up": 2, "average": 3, "Paeth": 4}


def chunk(kind: bytes, body: bytes = b"") -> bytes:
    check = struct.pack(">I", zlib.crc32(kind + body))
    return struct.pack(">I", len(body)) + kind + body + check


def header(*, depth: int = 8, color: int = 0, interlaced: int = 0, side: int = 28) -> bytes:
    return chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, depth, color, 0, 0, interlaced))


def rows(filters: list[int]) -> bytes:
    """28 rows of noise, each said to be filtered so."""
    noise = np.random.default_rng(0).integers(0, 256, (28, 28), np.uint8)
    return b"".join(bytes([kind]) + row.tobytes() for kind, row in zip(filters, noise, strict=True))


def png(*chunks: bytes) -> bytes:
    return SIGNATURE + b"".join(chunks) + chunk(b"IEND")


DATA = zlib.compress(rows([4] * 28))


def read_plain_png(content: bytes) -> Images | None:
    rows = unpack_plain_png(content)
    return None if rows is None else undo_filters([rows])[0]


def by_pillow(content: bytes) -> Images:
    with Image.open(BytesIO(content)) as image:
        return np.asarray(image)


@pytest.mark.parametrize("kind", FILTERS)
def test_each_filter_is_undone_as_pillow_does(kind: str) -> None:
    content = png(header(), chunk(b"IDAT", zlib.compress(rows([FILTERS[kind]] * 28))))
    found = read_plain_png(content)
    assert found is not None
    np.testing.assert_array_equal(found, by_pillow(content))


def test_images_that_are_decoded_at_once_know_nothing_of_each_other() -> None:
    kinds = [[kind] * 28 for kind in FILTERS.values()] * 2
    packed = [png(header(), chunk(b"IDAT", zlib.compress(rows(kind)))) for kind in kinds]
    unpacked = [unpack_plain_png(content) for content in packed]
    found = undo_filters([one for one in unpacked if one is not None])
    np.testing.assert_array_equal(found, [by_pillow(content) for content in packed])


def test_what_pillow_writes_is_plain() -> None:
    found = read_plain_png(FORMS["gray PNG"](garment()))
    assert found is not None
    np.testing.assert_array_equal(found, garment())


OTHERS = {
    "two data chunks": png(header(), chunk(b"IDAT", DATA[:9]), chunk(b"IDAT", DATA[9:])),
    "a gamma before": png(header(), chunk(b"gAMA", bytes(4)), chunk(b"IDAT", DATA)),
    "transparency": png(header(), chunk(b"tRNS", bytes(2)), chunk(b"IDAT", DATA)),
    "a text after": png(header(), chunk(b"IDAT", DATA), chunk(b"tEXt", b"a\0b")),
    "bytes after the end": png(header(), chunk(b"IDAT", DATA)) + b"\0",
    "no data": png(header()),
    "too much data": png(header(), chunk(b"IDAT", zlib.compress(rows([0] * 28) + bytes(29)))),
    "more than such a file takes": png(header(), chunk(b"IDAT", DATA + bytes(2000))),
    "too little data": png(header(), chunk(b"IDAT", zlib.compress(rows([0] * 28)[:700]))),
    "data that is not packed": png(header(), chunk(b"IDAT", bytes(800))),
    "a filter that is none": png(header(), chunk(b"IDAT", zlib.compress(rows([7] * 28)))),
    "interlaced": png(header(interlaced=1), chunk(b"IDAT", DATA)),
    "16 bits": png(header(depth=16), chunk(b"IDAT", DATA)),
    "color": png(header(color=2), chunk(b"IDAT", DATA)),
    "27 pixels wide": png(header(side=27), chunk(b"IDAT", DATA)),
    "a wrong checksum": png(header(), chunk(b"IDAT", DATA)[:-1] + b"\0"),
    "cut short": png(header(), chunk(b"IDAT", DATA))[:-20],
    "the signature alone": SIGNATURE,
    "nothing": b"",
    **{name: write(garment()) for name, write in FORMS.items() if name != "gray PNG"},
}


@pytest.mark.parametrize("kind", OTHERS)
def test_every_other_file_is_left_alone(kind: str) -> None:
    assert read_plain_png(OTHERS[kind]) is None


@given(position=st.floats(0, 1, exclude_max=True), replacement=st.binary(max_size=8))
def test_a_changed_file_reads_as_by_pillow_or_not_at_all(
    position: float, replacement: bytes
) -> None:
    content = bytearray(FORMS["gray PNG"](garment()))
    start = int(position * len(content))
    content[start : start + 4] = replacement
    found = read_plain_png(bytes(content))
    if found is not None:
        np.testing.assert_array_equal(found, by_pillow(bytes(content)))


@given(data=st.binary(max_size=40), filters=st.lists(st.integers(0, 9), min_size=28, max_size=28))
def test_any_data_reads_as_by_pillow_or_not_at_all(data: bytes, filters: list[int]) -> None:
    content = png(header(), chunk(b"IDAT", zlib.compress(rows(filters)) + data))
    found = read_plain_png(content)
    if found is not None:
        np.testing.assert_array_equal(found, by_pillow(content))
    else:
        with pytest.raises(DataError):
            decode(content)


def test_plain_files_take_the_quick_way(monkeypatch: pytest.MonkeyPatch) -> None:
    content = FORMS["gray PNG"](garment())
    slow = decode(FORMS["BMP"](garment()))

    def general(_content: bytes) -> Image.Image:
        raise AssertionError("the general way was taken")

    monkeypatch.setattr(pictures, "_decode", general)
    quick = decode(content)
    np.testing.assert_array_equal(quick.pixels, slow.pixels)
    assert quick.prepared == slow.prepared
    with pytest.raises(AssertionError, match="general way"):
        decode(content, photo="on")
