"""Output files that appear whole or not at all."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from fmnist_cli.errors import OutputError, StorageError

if sys.platform != "win32":
    import fcntl

TEMPORARY_SUFFIX = ".fmnist-tmp"


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path`; on success it is flushed and renamed to `path`.

    Missing parent folders are made. The file that stood at `path` stays untouched until the new one
    is whole, and for good when anything fails. Permissions follow the user's umask. What a killed
    process left half-written is taken away by the next that writes the same file.
    Raises OutputError where the file can't be created, StorageError where writing it fails.
    """
    try:
        with _temporary_beside(path) as temporary:
            yield temporary
            _flush(temporary)
            temporary.replace(path)
    except OSError as error:
        kept = "what stood there before is untouched" if path.exists() else "nothing stands there"
        raise StorageError(f"writing '{path}' failed: {error.strerror or error}; {kept}") from error
    try:
        _flush_folder(path.parent)
    except OSError as error:
        raise StorageError(
            f"'{path}' is written, but flushing its folder to the disk failed: {error.strerror}"
        ) from error


@contextmanager
def _temporary_beside(path: Path) -> Iterator[Path]:
    """Make an empty temporary file beside `path`; it is taken away when an error passes."""
    make_folder(path.parent)
    if path.is_dir():
        raise OutputError(f"can't write '{path}': it is a folder; name a file in it")
    if path.exists() and not path.is_file():  # renaming would put a file in a device's place
        raise OutputError(f"can't write '{path}': it is a device or a pipe; name a file")
    temporary = path.with_name(f".{path.name}{TEMPORARY_SUFFIX}")
    try:
        claim = _claim(temporary)
        if claim is None:  # another process writes the same file, or there is no locking
            temporary = path.with_name(f".{path.name}.{os.getpid()}{TEMPORARY_SUFFIX}")
            temporary.touch()
    except OSError as error:
        raise OutputError(f"can't create '{path}': {error.strerror}; name another place") from None
    try:
        yield temporary
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise
    finally:
        if claim is not None:
            os.close(claim)


def _claim(temporary: Path) -> int | None:
    """Make and lock a temporary file, in place of one whose writer is dead.

    The lock ends with its process, however that ends. Returns the descriptor that holds it, or None
    where another process has the file or files can't be locked.
    """
    if sys.platform == "win32":
        return None
    with suppress(OSError):
        _take_away_abandoned(temporary)
        claim = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
        if _is_locked_here(claim, temporary):
            return claim
        os.close(claim)
        temporary.unlink()
    return None


def _take_away_abandoned(temporary: Path) -> None:
    try:
        descriptor = os.open(temporary, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return
    try:
        if _is_locked_here(descriptor, temporary):
            temporary.unlink()
    finally:
        os.close(descriptor)


def _is_locked_here(descriptor: int, path: Path) -> bool:
    """Lock an open file; False where another has it, or where it stands at `path` no longer."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except OSError:
        return False


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
    with _temporary_beside(path) as temporary:
        temporary.unlink()
