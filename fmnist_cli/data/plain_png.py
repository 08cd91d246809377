"""The PNG file that an image of the data set is saved as, read at a third of Pillow's usual cost.

Of a small picture's time in Pillow most goes into asking what kind of file it is. Here one kind is
recognised by its bytes; its data goes to the same decoder of Pillow's. Everything else, damage
included, is left to the general way, which says what is wrong.
"""

import zlib
from struct import pack
from typing import Final

import numpy as np

from fmnist_cli.data.images import Images
from fmnist_cli.facts import IMAGE_SIZE

_SIZE: Final = (IMAGE_SIZE, IMAGE_SIZE)


def _chunk(kind: bytes, body: bytes) -> bytes:
    """A chunk as it stands in a file (PNG specification, section 5.3)."""
    return pack(">I", len(body)) + kind + body + pack(">I", zlib.crc32(kind + body))


_HEAD: Final = b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", pack(">IIBBBBB", *_SIZE, 8, 0, 0, 0, 0))
"""Signature and header: 8-bit grey without alpha, not interlaced."""
_END: Final = _chunk(b"IEND", b"")
_KIND_AT: Final = len(_HEAD) + 4
_DATA_AT: Final = _KIND_AT + 4
_TAIL_BYTES: Final = 4 + len(_END)
"""A checksum and the end."""


def read_plain_png(content: bytes) -> Images | None:
    """Decode a 28×28 grey PNG of one data chunk and nothing else, all checksums right.

    Returns uint8 [28, 28], read-only; None for every other file.
    """
    data_end = len(content) - _TAIL_BYTES
    if (
        not content.startswith(_HEAD)
        or not content.endswith(_END)
        or content[len(_HEAD) : _DATA_AT] != pack(">I", max(0, data_end - _DATA_AT)) + b"IDAT"
        or pack(">I", zlib.crc32(content[_KIND_AT:data_end])) != content[data_end : data_end + 4]
    ):
        return None
    from PIL import Image

    try:
        image = Image.frombytes("L", _SIZE, content[_DATA_AT:data_end], "zip", "L")
    except (ValueError, OSError):  # too little data, or not what its checksum promises
        return None
    return np.frombuffer(image.tobytes(), np.uint8).reshape(_SIZE)
