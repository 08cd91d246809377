"""The zip around a model file: checked as a whole before any of it is used, without torch."""

import os
import struct
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

from fmnist_cli.checkpoints.metadata import MetadataFault, ModelMetadata
from fmnist_cli.checkpoints.pickle_scan import MAX_PICKLE_BYTES, scan
from fmnist_cli.checkpoints.sniff import (
    NAME_IT,
    ZIP_MAGIC,
    is_safetensors,
    not_a_model,
    read_head,
    zip_kind,
)
from fmnist_cli.errors import CheckpointError

METADATA_MEMBER: Final = "metadata.json"
DIGESTS_MEMBER: Final = "trained_on.bin"
MAX_MEMBERS: Final = 10_000

_MAX_METADATA_BYTES: Final = 1_000_000
_MAX_DIGESTS_BYTES: Final = 100_000_000
"""Of 20 million images."""
_MAX_DIRECTORY_BYTES: Final = 2_000_000
_END: Final = struct.Struct("<4s4H2LH")
_END_64: Final = struct.Struct("<4sQ2H2L4Q")
_LOCATOR_64_BYTES: Final = 20


class Archive:
    """The members of a model file, each with the checksum that its directory states."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        """Verify all of the file. Raises CheckpointError."""
        self.path = path
        try:
            size = file.seek(0, os.SEEK_END)
            if _directory_bytes(file, size) > _MAX_DIRECTORY_BYTES:
                raise zipfile.BadZipFile("it has too many members")
            self._file = zipfile.ZipFile(file)
            if (kind := zip_kind(self._file.namelist())) is not None:
                raise CheckpointError(f"'{path}' is not a model file: {kind}")
            _check_members(self._file.infolist(), size)
            damaged = self._file.testzip()
        except (zipfile.BadZipFile, RuntimeError, ValueError, EOFError, struct.error) as fault:
            raise CheckpointError(
                f"'{path}' is not a model file, or it is damaged: {fault}"
            ) from None
        if damaged is not None:
            raise CheckpointError(f"'{path}' is damaged: the checksum of '{damaged}' is wrong")
        self._members = {info.filename.partition("/")[2]: info for info in self._file.infolist()}
        """By their names below the one root directory."""

    def __contains__(self, name: str) -> bool:
        return name in self._members

    def size(self, name: str) -> int:
        """Bytes of a member; 0 if it is missing."""
        return self._members[name].file_size if name in self._members else 0

    def read(self, name: str, max_bytes: int) -> bytes:
        """A member's content; empty if it is missing. Raises CheckpointError if it is larger."""
        if self.size(name) > max_bytes:
            raise CheckpointError(f"'{self.path}' is not a model file: its {name} is too large")
        return self._file.read(self._members[name]) if name in self._members else b""

    def metadata(self) -> ModelMetadata:
        """Everything but tensors. Raises as `read_metadata`."""
        content = self.read(METADATA_MEMBER, _MAX_METADATA_BYTES)
        if not content:
            scan(self.read("data.pkl", MAX_PICKLE_BYTES), str(self.path))  # a whole pickled model?
            raise CheckpointError(
                f"'{self.path}' was not written by fmnist: it has no {METADATA_MEMBER}\n{NAME_IT}"
            )
        try:
            return ModelMetadata.parse(content)
        except MetadataFault as fault:
            raise CheckpointError(f"'{self.path}': its {METADATA_MEMBER} {fault}") from None


@contextmanager
def open_archive(path: Path) -> Iterator[Archive]:
    """Open a model file and verify all of it: its form, and the checksum of each member.

    Raises MissingInput if there is no such file, CheckpointError if it is not a sound archive.
    """
    head = read_head(path)
    if not head.startswith(ZIP_MAGIC):
        raise not_a_model(path, head)
    try:
        with path.open("rb") as file:
            yield Archive(path, file)
    except OSError as error:
        reason = error.strerror or error
        raise CheckpointError(f"the model '{path}' can't be read: {reason}") from None


def _directory_bytes(file: BinaryIO, size: int) -> int:
    """Size of the zip's directory, which `zipfile` reads at once.

    torch writes zips without a comment, so the directory's end stands at the end of the file.
    """
    tail_bytes = _END_64.size + _LOCATOR_64_BYTES + _END.size
    file.seek(max(0, size - tail_bytes))
    tail = file.read()
    if len(tail) < _END.size or tail[-_END.size :][:4] != b"PK\x05\x06":
        raise zipfile.BadZipFile("it does not end as a zip of torch does")
    directory_bytes = _END.unpack(tail[-_END.size :])[5]
    if len(tail) == tail_bytes and tail.startswith(b"PK\x06\x06"):
        directory_bytes = max(directory_bytes, _END_64.unpack(tail[: _END_64.size])[8])
    return int(directory_bytes)


def _check_members(members: list[zipfile.ZipInfo], file_bytes: int) -> None:
    """Refuse what a file of torch never has, and what readers of zips disagree about."""
    names = [info.filename for info in members]
    if len(names) > MAX_MEMBERS:
        raise zipfile.BadZipFile("it has too many members")
    if len(set(names)) < len(names):
        raise zipfile.BadZipFile("two members have the same name")
    if len({name.partition("/")[0] for name in names}) > 1:
        raise zipfile.BadZipFile("its members are not in one directory")
    # Compression is how a small file becomes a large one; torch.save never uses it.
    if any(info.compress_type or info.compress_size != info.file_size for info in members):
        raise zipfile.BadZipFile("a member is compressed")
    if min((info.header_offset for info in members), default=0) != 0:
        raise zipfile.BadZipFile("something stands before its first member")
    if sum(info.file_size for info in members) > file_bytes:
        raise zipfile.BadZipFile("its members claim more than the file holds")


def has_metadata(path: Path) -> bool:
    """Whether a file describes itself, as ONNX files and models of this program do.

    Raises as `open_archive`. Anything that is neither a zip nor safetensors counts: if it is not a
    model, its own reader says so.
    """
    head = read_head(path)
    if not head.startswith(ZIP_MAGIC):
        return not is_safetensors(head)
    with open_archive(path) as archive:
        return METADATA_MEMBER in archive


def read_metadata(path: Path) -> ModelMetadata:
    """Everything but tensors, without importing torch.

    Raises MissingInput if there is no such file, CheckpointError if it is not a model of this
    program or of a newer format.
    """
    with open_archive(path) as archive:
        return archive.metadata()


def read_digests(path: Path) -> bytes:
    """Digests of the training images; empty if none are recorded. Raises as `read_metadata`."""
    with open_archive(path) as archive:
        return archive.read(DIGESTS_MEMBER, _MAX_DIGESTS_BYTES)
