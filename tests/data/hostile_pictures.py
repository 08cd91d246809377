"""Pictures for a parser's tests: intact ones, and forged ones whose checksums are valid."""

import struct
import zlib
from random import Random

import numpy as np
from PIL import Image

from tests.damage import DAMAGE
from tests.sample_images import draw, photograph, saved

_IMAGES = draw(3, "train").images
_FRAMES = (b"\xff\xc0", b"\xff\xc2")


def intact(form: str) -> list[bytes]:
    gray = Image.fromarray(_IMAGES[0])
    photo = photograph(_IMAGES[0], 42)
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010E] = "a description"
    files = [saved(gray, form), saved(photo, form, exif=exif)]
    if form == "JPEG":
        return [
            *files,
            saved(photo, form, progressive=True, icc_profile=b"profile" * 9),
            saved(photo.convert("CMYK"), form),
        ]
    return [
        *files,
        saved(gray.convert("P"), form, transparency=3),
        saved(photo.convert("RGBA"), form, icc_profile=b"profile" * 9),
        saved(Image.fromarray(_IMAGES[1].astype(np.uint16) * 257), form),
        saved(gray.convert("1"), form),
        saved(gray, form, save_all=True, append_images=[Image.fromarray(_IMAGES[2])]),
    ]


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_claiming(
    width: int, height: int, packed: bytes = zlib.compress(bytes(1000)), color: int = 0
) -> bytes:
    """A PNG file of any size by its header, with valid checksums; color: 0 is gray, 6 is RGBA."""
    header = struct.pack(">IIBBBBB", width, height, 8, color, 0, 0, 0)
    chunks = (b"IHDR", header), (b"IDAT", packed), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*chunk) for chunk in chunks)


def forge_png(random: Random, content: bytes) -> bytes:
    """Change, repeat, remove or add a chunk; every checksum is valid."""
    chunks, at = [], 8
    while at + 12 <= len(content):
        (length,) = struct.unpack(">I", content[at : at + 4])
        chunks.append((content[at + 4 : at + 8], content[at + 8 : at + 8 + length]))
        at += 12 + length
    number = random.randrange(len(chunks))
    kind, body = chunks[number]
    large = zlib.compress(bytes(10**7))
    added = [
        *(
            (b"zTXt", b"a\0\0" + large),
            (b"iCCP", b"a\0\0" + large),
            (b"iTXt", b"a\0\1\0\0\0" + large),
        ),
        *((b"eXIf", random.randbytes(40)), (b"acTL", struct.pack(">2I", 2**31, 0)), (b"tRNS", b"")),
        *((b"PLTE", b"abc"), (b"fcTL", random.randbytes(26)), (b"IHDR", body), (kind, body)),
    ]
    match random.randrange(4):
        case 0 if body:
            chunks[number] = kind, random.choice(DAMAGE)(random, body, body)
        case 1:
            del chunks[number]
        case 2:
            sides = random.choice([(1, 2**31 - 1), (8_900, 8_900), (9_000, 9_000), (0, 5)])
            chunks[0] = b"IHDR", struct.pack(">2I", *sides) + chunks[0][1][8:]
        case _:
            chunks.insert(number + 1, random.choice(added))
    return content[:8] + b"".join(_chunk(*chunk) for chunk in chunks)


def forge_jpeg(random: Random, content: bytes) -> bytes:
    """Other sides in the frame's header, or another length of a segment."""
    frames = [at for at in range(len(content) - 9) if content[at : at + 2] in _FRAMES]
    starts = [
        at for at in range(len(content) - 4) if content[at] == 0xFF and content[at + 1] > 0xBF
    ]
    if frames and random.random() < 0.5:
        at = random.choice(frames) + 5
        sides = struct.pack(">2H", *random.choice([(0, 9), (65_535, 65_535), (8_000, 9_900)]))
        return content[:at] + sides + content[at + 4 :]
    at = random.choice(starts) + 2
    return content[:at] + random.randbytes(2) + content[at + 2 :]
