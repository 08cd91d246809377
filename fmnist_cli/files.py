"""Output files that appear complete or not at all; the checksum of a file."""

import hashlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from difflib import get_close_matches
from pathlib import Path

from fmnist_cli.errors import OutputError, StorageError, in_one_line

if sys.platform != "win32":
    import fcntl

TEMPORARY_SUFFIX = ".fmnist-tmp"


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Yield a temporary path next to `path`; on success, flush it and rename it to `path`.

    Missing parent directories are created. An existing file stays untouched until the new one is
    complete, and if anything fails. Permissions follow the user's umask. A partial file left by a
    killed process is removed by the next one that writes the same file.
    Raises OutputError if the file can't be created, StorageError if writing fails.
    """
    try:
        with _temporary_beside(path) as temporary:
            yield temporary
            with temporary.open("rb+") as file:
                os.fsync(file.fileno())
            temporary.replace(path)
    except OSError as error:
        outcome = "the existing file is unchanged" if path.exists() else "no file was created"
        raise StorageError(
            f"writing '{path}' failed: {error.strerror or error}; {outcome}"
        ) from error
    try:
        _flush_folder(path.parent)
    except OSError as error:
        raise StorageError(
            f"'{path}' is written, but flushing its directory to disk failed: {error.strerror}"
        ) from error


@contextmanager
def _temporary_beside(path: Path) -> Iterator[Path]:
    """Create an empty temporary file next to `path`; remove it if an exception passes."""
    make_folder(path.parent)
    if path.is_dir():
        raise OutputError(f"can't write '{path}': it is a directory; name a file in it")
    if path.exists() and not path.is_file():  # renaming would replace the device by a file
        raise OutputError(f"can't write '{path}': it is a device or a pipe; name a file")
    temporary = path.with_name(f".{path.name}{TEMPORARY_SUFFIX}")
    try:
        claim = _claim(temporary)
        if claim is None:  # another process is writing the same file, or locks are unsupported
            temporary = path.with_name(f".{path.name}.{os.getpid()}{TEMPORARY_SUFFIX}")
            temporary.touch()
    except OSError as error:
        raise OutputError(f"can't create '{path}': {error.strerror}; choose another path") from None
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
    """Create and lock a temporary file, replacing one whose writer is dead.

    The operating system releases the lock when the process ends, however it ends. Returns the
    locked descriptor, or None if another process holds the file or files can't be locked.
    """
    if sys.platform == "win32":
        return None
    with suppress(OSError):
        with suppress(FileNotFoundError):
            abandoned = os.open(temporary, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
            try:
                if _lock(abandoned, temporary):
                    temporary.unlink()
            finally:
                os.close(abandoned)
        claim = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
        if _lock(claim, temporary):
            return claim
        os.close(claim)
        temporary.unlink()
    return None


def _lock(descriptor: int, path: Path) -> bool:
    """Lock an open file; False if another process has it, or if it is no longer at `path`."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except OSError:
        return False


def make_folder(folder: Path) -> None:
    """Create a directory and its parents. Raises OutputError if that fails."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"can't create the directory '{folder}': {error.strerror}") from None


def sha256(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal digits. Raises StorageError if it can't be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise StorageError(f"'{path}' can't be read: {error.strerror}") from error


def _flush_folder(folder: Path) -> None:
    """Make the rename itself durable; not every platform can open a directory."""
    with suppress(PermissionError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def similar_path(path: str) -> str:
    """Suffix for an error message that suggests a file or directory beside a missing one."""
    missing, names = Path(path), list[str]()
    with suppress(OSError, ValueError):  # no directory, or no path that there could be
        names += [file.name for file in missing.parent.iterdir()]
    near = get_close_matches(missing.name, names, n=1, cutoff=0.75)
    return f"; did you mean '{in_one_line(str(missing.parent / near[0]))}'?" if near else ""


def is_unicode(text: str) -> bool:
    """Whether all bytes of a path are UTF-8: no JSON or TOML file can hold it otherwise."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def check_writable(path: Path) -> None:
    """Raise OutputError if `path` can't be created: now, rather than after hours of work."""
    with _temporary_beside(path) as temporary:
        temporary.unlink()
