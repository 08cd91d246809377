"""Zips are read in one way or not at all; each case here is a sound zip but for one thing."""

import io
import struct
import zipfile
import zlib
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import torch

from fmnist_cli.checkpoints.zips import MAX_MEMBERS, Member, ZipFault, read_directory


@dataclass(frozen=True)
class Entry:
    """A member, with what is written of it before its content and in the directory."""

    name: bytes = b"a/1"
    content: bytes = b"content"
    flags: int = 0
    method: int = 0
    before: bytes = b""
    """Bytes that no member has, in front of it."""
    stated_name: bytes | None = None
    stated_size: int | None = None
    stated_place: int | None = None
    descriptor: bytes = b""
    comment: bytes = b""

    def header(self) -> bytes:
        sums = zlib.crc32(self.content), len(self.content), len(self.content)
        fields = (20, self.flags, self.method, 0, 0, *sums, len(self.name), 0)
        return struct.pack("<4s5H3L2H", b"PK\x03\x04", *fields) + self.name

    def in_directory(self, place: int) -> bytes:
        name = self.name if self.stated_name is None else self.stated_name
        size = len(self.content) if self.stated_size is None else self.stated_size
        place = place if self.stated_place is None else self.stated_place
        fields = (20, 20, self.flags, self.method, 0, 0, zlib.crc32(self.content), size, size)
        rest = (len(name), 0, len(self.comment), 0, 0, 0, place)
        return struct.pack("<4s6H3L5H2L", b"PK\x01\x02", *fields, *rest) + name + self.comment


SOUND = (Entry(), Entry(b"a/2", b"more"))


def zip_of(
    *entries: Entry, count: int | None = None, behind: bytes = b"", comment: bytes = b""
) -> bytes:
    body, directory = b"", b""
    for entry in entries:
        body += entry.before
        directory += entry.in_directory(len(body))
        body += entry.header() + entry.content + entry.descriptor
    number = len(entries) if count is None else count
    end = (0, 0, number, number, len(directory), len(body + behind), len(comment))
    end_record = struct.pack("<4s4H2LH", b"PK\x05\x06", *end) + comment
    return body + behind + directory + end_record


def read(content: bytes) -> dict[str, Member]:
    return read_directory(io.BytesIO(content), len(content))


def test_what_is_sound_is_found() -> None:
    content = zip_of(*SOUND)
    found = read(content)
    assert {
        name: content[member.start : member.start + member.size] for name, member in found.items()
    } == {"a/1": b"content", "a/2": b"more"}
    assert [member.crc for member in found.values()] == [
        zlib.crc32(b"content"),
        zlib.crc32(b"more"),
    ]


@pytest.mark.parametrize("writer", ["torch", "zipfile"])
def test_what_others_write_is_read_as_zipfile_reads_it(writer: str, tmp_path: Path) -> None:
    path = tmp_path / "file.pt"
    if writer == "torch":
        torch.save({"w": torch.zeros(100), "v": torch.ones(3)}, path)
    else:
        with zipfile.ZipFile(path, "w") as archive:
            for number in range(50):
                archive.writestr(f"ä/{number}", bytes(number))
    content = path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        assert {
            name: content[member.start : member.start + member.size]
            for name, member in read(content).items()
        } == {name: archive.read(name) for name in archive.namelist()}


ONE, TWO = SOUND
FAULTY = {
    "nothing": (b"", "too short"),
    "bytes behind the end": (zip_of(*SOUND) + b"x", "does not end"),
    "a comment": (zip_of(*SOUND, comment=b"PK"), "does not end"),
    "bytes before the first member": (zip_of(replace(ONE, before=b"x"), TWO), "gaps"),
    "bytes between members": (zip_of(ONE, replace(TWO, before=b"x")), "gaps"),
    "bytes behind the last member": (zip_of(*SOUND, behind=b"x"), "gaps"),
    "a member in two places of the directory": (zip_of(ONE, replace(ONE, stated_place=0)), "gaps"),
    "a member in another": (zip_of(ONE, replace(TWO, stated_place=5)), "gaps"),
    "one name twice": (zip_of(ONE, ONE), "two members"),
    "fewer members than counted": (zip_of(*SOUND, count=3), "not counted rightly"),
    "more members than counted": (zip_of(*SOUND, count=1), "not counted rightly"),
    "more than any model has": (zip_of(*SOUND, count=MAX_MEMBERS + 1), "too many"),
    "a packed member": (zip_of(ONE, replace(TWO, method=8)), "compressed"),
    "an encrypted member": (zip_of(ONE, replace(TWO, flags=1)), "compressed or encrypted"),
    "two names of one member": (zip_of(ONE, replace(TWO, stated_name=b"a/3")), "header differs"),
    "two sizes of one member": (zip_of(ONE, replace(TWO, stated_size=3)), "header differs"),
    "a size beyond the file": (zip_of(ONE, replace(TWO, stated_size=2**31)), "more than the file"),
    "a name that is no text": (zip_of(ONE, replace(TWO, name=b"\xff")), "no text"),
    "a comment of a member": (zip_of(ONE, replace(TWO, comment=b"x")), "directory is damaged"),
    "a wrong descriptor": (
        zip_of(ONE, replace(TWO, flags=8, descriptor=b"PK\x07\x08" + bytes(12))),
        "descriptor differs",
    ),
    "a directory that is cut": (zip_of(*SOUND)[:-40] + zip_of(*SOUND)[-22:], "where it claims"),
}


@pytest.mark.parametrize("fault", FAULTY)
def test_one_fault_is_enough(fault: str) -> None:
    content, message = FAULTY[fault]
    with pytest.raises(ZipFault, match=message):
        read(content)


def test_two_ends_that_disagree_are_refused(tmp_path: Path) -> None:
    torch.save({"w": torch.zeros(3)}, tmp_path / "file.pt")
    content = bytearray((tmp_path / "file.pt").read_bytes())
    assert content[-42:-38] == b"PK\x06\x07"
    for place in (-98 + 24, -98 + 40, -98 + 48, -42 + 8):  # number, length, start; where the end is
        changed = content.copy()
        changed[place] ^= 1
        with pytest.raises(ZipFault, match="two ends disagree"):
            read(bytes(changed))
