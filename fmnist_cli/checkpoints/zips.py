"""Zip files of stored members, read with nothing left to interpretation.

Readers of zips disagree about files that say one thing twice: in the directory at the end and
before each member. Here both must agree, and headers, members and directory must tile the file
without a gap, so that there is one way to read it (PKWARE's APPNOTE.TXT, sections 4.3 and 4.4).
"""

import struct
from collections.abc import Iterator
from typing import Any, BinaryIO, Final, NamedTuple

ZIP_MAGIC: Final = b"PK\x03\x04"
"""First bytes of a file."""
MAX_MEMBERS: Final = 10_000
MAX_DIRECTORY_BYTES: Final = 2_000_000

_END: Final = struct.Struct("<4s4H2LH")
_END_64: Final = struct.Struct("<4sQ2H2L4Q")
_LOCATOR_64: Final = struct.Struct("<4sLQL")
_ENTRY: Final = struct.Struct("<4s6H3L5H2L")
_HEADER: Final = struct.Struct("<4s5H3L2H")
_DESCRIPTOR: Final = struct.Struct("<4s3L")

_STORED: Final = 0
_SIZES_FOLLOW: Final = 0x8
"""Flag: a descriptor after the content repeats checksum and sizes, as torch writes it."""
_UTF_8: Final = 0x800


class Member(NamedTuple):
    """Where a member's content is in the file."""

    start: int
    size: int
    crc: int


class ZipFault(Exception):  # noqa: N818 - becomes a CheckpointError where the file's name is known
    """Why a file is not taken for a zip."""


class _Entry(NamedTuple):
    """What the directory says of a member."""

    raw_name: bytes
    flags: int
    crc: int
    size: int
    header_at: int


def read_directory(file: BinaryIO, size: int) -> dict[str, Member]:
    """Every member of a zip of `size` bytes by its name, in little memory; contents are not read.

    Raises ZipFault for what is no zip, or not one of stored members that tile the file.
    """
    count, directory_at, directory = _read_end(file, size)
    members: dict[str, Member] = {}
    reached = 0
    for entry in sorted(_entries(directory), key=lambda entry: entry.header_at):
        if entry.header_at != reached:
            raise ZipFault("its members overlap or leave gaps")
        if entry.header_at + entry.size > directory_at:
            raise ZipFault("its members claim more than the file holds")
        start = _read_header(file, entry)
        reached = _read_descriptor(file, entry, start + entry.size)
        try:
            name = entry.raw_name.decode("utf-8")
        except UnicodeDecodeError:
            raise ZipFault("a member's name is no text") from None
        if name in members:
            raise ZipFault("one name stands for two members")
        members[name] = Member(start, entry.size, entry.crc)
    if reached != directory_at or len(members) != count:
        raise ZipFault("its members overlap, leave gaps or are not counted rightly")
    return members


def _read_end(file: BinaryIO, size: int) -> tuple[int, int, bytes]:
    """Number of members, where the directory starts, and the directory."""
    end_at = size - _END.size
    signature, disk, first_disk, here, count, length, start, comment = _unpack(_END, file, end_at)
    if signature != b"PK\x05\x06" or comment:
        raise ZipFault("it does not end as a zip does")
    if disk or first_disk or here != count:
        raise ZipFault("it is one part of several")
    directory_end = end_at
    locator_at = end_at - _LOCATOR_64.size
    if locator_at >= _END_64.size and _unpack(_LOCATOR_64, file, locator_at)[0] == b"PK\x06\x07":
        directory_end = locator_at - _END_64.size
        locator = _unpack(_LOCATOR_64, file, locator_at)
        end = _unpack(_END_64, file, directory_end)
        # torch writes this end beside the short one whatever the size, and both say the same.
        if (
            locator[1:] != (0, directory_end, 1)
            or end[:2] != (b"PK\x06\x06", _END_64.size - 12)
            or end[4:] != (0, 0, count, count, length, start)
        ):
            raise ZipFault("its two ends disagree, or it is too large")
    if count > MAX_MEMBERS or length > MAX_DIRECTORY_BYTES:
        raise ZipFault("it has too many members")
    if start + length != directory_end:
        raise ZipFault("its directory is not where it claims to be")
    file.seek(start)
    return count, start, file.read(length)


def _entries(directory: bytes) -> Iterator[_Entry]:
    position = 0
    while position < len(directory):
        name_at = position + _ENTRY.size
        if name_at > len(directory):
            raise ZipFault("its directory is cut short")
        signature, _, _, flags, method, _, _, crc, packed, size, *lengths, disk, _, _, header_at = (
            _ENTRY.unpack_from(directory, position)
        )
        name_length, extra_length, comment_length = lengths
        position = name_at + name_length + extra_length
        if signature != b"PK\x01\x02" or comment_length or disk or position > len(directory):
            raise ZipFault("its directory is damaged")
        # Compression is how a small file becomes a large one; torch.save never uses it.
        if method != _STORED or flags & ~(_SIZES_FOLLOW | _UTF_8):
            raise ZipFault("a member is compressed or encrypted")
        if packed != size:
            raise ZipFault("a member's sizes disagree")
        raw_name = directory[name_at : name_at + name_length]
        yield _Entry(raw_name, flags, crc, size, header_at)


def _read_header(file: BinaryIO, entry: _Entry) -> int:
    """Check what stands before a member's content; gives where that starts."""
    signature, _, flags, method, _, _, *stated, name_length, extra_length = _unpack(
        _HEADER, file, entry.header_at
    )
    expected = [entry.crc, entry.size, entry.size]
    # Where they follow the content, they may be left out here.
    agrees = stated == expected or (flags & _SIZES_FOLLOW and stated == [0, 0, 0])
    if (
        (signature, flags, method) != (ZIP_MAGIC, entry.flags, _STORED)
        or not agrees
        or file.read(name_length) != entry.raw_name
    ):
        raise ZipFault("a member's header differs from the directory")
    return entry.header_at + _HEADER.size + int(name_length) + int(extra_length)


def _read_descriptor(file: BinaryIO, entry: _Entry, content_end: int) -> int:
    """Check what stands after a member's content, if anything does; gives where that ends."""
    if not entry.flags & _SIZES_FOLLOW:
        return content_end
    expected = (b"PK\x07\x08", entry.crc, entry.size, entry.size)
    if _unpack(_DESCRIPTOR, file, content_end) != expected:
        raise ZipFault("a member's descriptor differs from the directory")
    return content_end + _DESCRIPTOR.size


def _unpack(form: struct.Struct, file: BinaryIO, position: int) -> tuple[Any, ...]:
    if position < 0:
        raise ZipFault("it is too short for a zip")
    file.seek(position)
    content = file.read(form.size)
    if len(content) < form.size:
        raise ZipFault("it is cut short")
    return form.unpack(content)
