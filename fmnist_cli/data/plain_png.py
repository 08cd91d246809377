"""The PNG file that an image of the data set is saved as, read at a third of Pillow's usual cost.

Of a small picture's time in Pillow most goes into asking what kind of file it is and into setting
up a decoder. Here one kind is recognized by its bytes, and many are decoded at once. Everything
else, damage included, is left to the general way, which says what is wrong.
"""

import zlib
from collections.abc import Sequence
from struct import pack
from typing import Final

import numpy as np

from fmnist_cli.constants import IMAGE_SIZE
from fmnist_cli.data.images import Images


def _chunk(kind: bytes, body: bytes) -> bytes:
    """A chunk as it stands in a file (PNG specification, section 5.3)."""
    return pack(">I", len(body)) + kind + body + pack(">I", zlib.crc32(kind + body))


_HEAD: Final = b"\x89PNG\r\n\x1a\n" + _chunk(
    b"IHDR", pack(">IIBBBBB", IMAGE_SIZE, IMAGE_SIZE, 8, 0, 0, 0, 0)
)
"""Signature and header: 8-bit gray without alpha, not interlaced."""
PNG_END: Final = _chunk(b"IEND", b"")
"""How every PNG file ends."""
_KIND_AT: Final = len(_HEAD) + 4
_DATA_AT: Final = _KIND_AT + 4
_ROW_BYTES: Final = 1 + IMAGE_SIZE
_EMPTY_ROW: Final = bytes(_ROW_BYTES)
_FILTERS: Final = bytes(range(5))
"""Those that there are (PNG specification, section 9.2)."""
_MOST_BYTES: Final = 2048
"""Twice what such a file takes that is not compressed; a long one may unpack to gigabytes."""
_TAIL_BYTES: Final = 4 + len(PNG_END)
"""A checksum and the end."""


def unpack_plain_png(content: bytes) -> bytes | None:
    """Unpack a 28×28 gray PNG of one data chunk and nothing else, all checksums right.

    Returns its 28 rows, 29 bytes each: the filter that a row went through, then what came out of
    it. None for every other file.
    """
    data_end = len(content) - _TAIL_BYTES
    if (
        len(content) > _MOST_BYTES
        or not content.startswith(_HEAD)
        or not content.endswith(PNG_END)
        or content[len(_HEAD) : _DATA_AT] != pack(">I", max(0, data_end - _DATA_AT)) + b"IDAT"
        or pack(">I", zlib.crc32(content[_KIND_AT:data_end])) != content[data_end : data_end + 4]
    ):
        return None
    try:
        rows = zlib.decompress(content[_DATA_AT:data_end])
    except zlib.error:  # not what its checksum promises
        return None
    is_whole = len(rows) == IMAGE_SIZE * _ROW_BYTES
    return rows if is_whole and not rows[::_ROW_BYTES].strip(_FILTERS) else None


def undo_filters(images: Sequence[bytes]) -> Images:
    """Turn images as `unpack_plain_png` gives them into uint8 [N, 28, 28].

    Pillow decodes them as one tall picture, because it takes longer to begin than to decode a small
    one. An empty row before each keeps the first row's filter from the image above.
    """
    from PIL import Image

    height = IMAGE_SIZE + 1
    stored = zlib.compress(b"".join([row for image in images for row in (_EMPTY_ROW, image)]), 0)
    tall = Image.frombytes("L", (IMAGE_SIZE, height * len(images)), stored, "zip", "L")
    pixels = np.frombuffer(tall.tobytes(), np.uint8).reshape(len(images), height, IMAGE_SIZE)
    return np.ascontiguousarray(pixels[:, 1:])
