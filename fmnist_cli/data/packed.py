"""Files that may be gzip-compressed or in a zip archive."""

import gzip
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from io import BufferedIOBase
from pathlib import Path
from typing import Final, TypeAlias, cast

from fmnist_cli.errors import DataError, MissingInput, StorageError

MAX_PACKED_ITEMS: Final = 1_000_000
"""Images in a compressed file, which may claim far more than its size; 784 MB in memory. Plain
files are bounded by their own size."""

_GZIP_MAGIC: Final = b"\x1f\x8b"
_METHODS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ZIP_ERRORS: Final = (
    *(zipfile.BadZipFile, struct.error, ValueError, RuntimeError, EOFError, zlib.error),
)
"""What zipfile raises while it opens damaged archives."""


@dataclass(frozen=True, slots=True)
class Member:
    """A file in a zip archive."""

    archive: Path
    path: str

    @property
    def name(self) -> str:
        """Its name without directories."""
        return self.path.rpartition("/")[2]

    def __str__(self) -> str:
        return f"{self.archive}/{self.path}"


File: TypeAlias = Path | Member


def starts_with(path: Path, magic: bytes) -> bool:
    """Whether these are the first bytes of a file. Raises OSError if it can't be read."""
    with path.open("rb") as file:
        return file.read(len(magic)) == magic


def is_zip(path: Path) -> bool:
    """Whether a file begins as a zip archive. Raises OSError if it can't be read."""
    return starts_with(path, b"PK\x03\x04")


def list_files(path: Path) -> list[File]:
    """List the files in a directory, or in a zip archive and its directories, sorted.

    Hidden files are left out. Raises DataError if the archive is damaged, OSError if `path` can't
    be read.
    """
    files: list[File]
    if path.is_dir():
        files = [file for file in path.iterdir() if file.is_file()]
    else:
        with open_zip(path) as archive:
            files = [
                Member(path, info.filename)
                for info in archive.infolist()
                if not info.is_dir() and "__MACOSX" not in info.filename
            ]
    return sorted((file for file in files if not file.name.startswith(".")), key=str)


def open_zip(path: Path) -> zipfile.ZipFile:
    """Open a zip archive. Raises DataError if it is damaged, OSError if it can't be read."""
    try:
        return zipfile.ZipFile(path)
    except _ZIP_ERRORS as error:
        raise DataError(f"'{path}' is damaged, or not a zip archive: {error}") from None


def open_member(archive: zipfile.ZipFile, name: str) -> BufferedIOBase:
    """Open a file in an archive.

    Raises DataError if it is damaged, or needs a password or another method than deflate.
    """
    shown = f"'{archive.filename}/{name}'"
    if archive.getinfo(name).compress_type not in _METHODS:
        raise DataError(f"{shown} is compressed by another method than deflate; unpack it first")
    try:
        return cast("BufferedIOBase", archive.open(name))
    except _ZIP_ERRORS as error:
        raise DataError(f"{shown} can't be unpacked: {error}") from None


@contextmanager
def unpacked(file: File) -> Iterator[tuple[BufferedIOBase, int | None]]:
    """Open a file; yields its unpacked content, and its size in bytes unless it was packed.

    Raises MissingInput if there is no such file, DataError if a packed one is damaged and
    StorageError if it can't be read, here or while it is used.
    """
    try:
        with ExitStack() as stack:
            stream: BufferedIOBase
            size = None
            if isinstance(file, Member):
                archive = stack.enter_context(open_zip(file.archive))
                stream = stack.enter_context(open_member(archive, file.path))
            else:
                stream = stack.enter_context(file.open("rb"))
                size = file.stat().st_size
            is_gzip = stream.read(len(_GZIP_MAGIC)) == _GZIP_MAGIC
            stream.seek(0)
            if is_gzip:
                size = None
                stream = stack.enter_context(gzip.GzipFile(fileobj=stream))
            yield stream, size
    except FileNotFoundError:
        raise MissingInput(f"no file at '{file}'") from None
    except (gzip.BadGzipFile, zipfile.BadZipFile, EOFError, zlib.error) as error:
        raise DataError(f"'{file}' is damaged: {error}") from None
    except OSError as error:
        raise StorageError(f"'{file}' can't be read: {error.strerror}") from error
