"""Output files that appear whole or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from fmnist_cli.errors import OutputError, StorageError

TEMPORARY_SUFFIX = ".fmnist-tmp"


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path`; on success it is flushed and renamed to `path`.

    Missing parent folders are made. The file that stood at `path` stays untouched until the new one
    is whole, and for good when anything fails. Permissions follow the user's umask.
    Raises OutputError where the file can't be created, StorageError where writing it fails.
    """
    temporary = _create_beside(path)
    try:
        yield temporary
        _flush(temporary)
        temporary.replace(path)
        _flush_folder(path.parent)
    except OSError as error:
        raise StorageError(
            f"writing '{path}' failed: {error.strerror}; what stood there before is untouched"
        ) from error
    finally:
        temporary.unlink(missing_ok=True)


def _create_beside(path: Path) -> Path:
    """Make an empty temporary file in the place where `path` is to be."""
    make_folder(path.parent)
    if path.is_dir():
        raise OutputError(f"can't write '{path}': it is a folder; name a file in it")
    temporary = path.with_name(f".{path.name}.{os.getpid()}{TEMPORARY_SUFFIX}")
    try:
        temporary.touch()
    except OSError as error:
        raise OutputError(f"can't create '{path}': {error.strerror}; name another place") from None
    return temporary


def make_folder(folder: Path) -> None:
    """Make a folder and its parents. Raises OutputError where that can't be done."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"can't make the folder '{folder}': {error.strerror}") from None


def _flush(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _flush_folder(folder: Path) -> None:
    """Make the rename itself durable; not every platform can open a folder."""
    with suppress(PermissionError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def check_writable(path: Path) -> None:
    """Raise OutputError now rather than after hours of work, where `path` can't be created."""
    _create_beside(path).unlink()
