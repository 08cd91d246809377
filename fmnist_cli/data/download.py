"""The four official files: from mirrors into the data folder, verified.

A file appears in the folder whole and right, or not at all.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal, TypeAlias

from fmnist_cli.constants import FILES, MIRRORS, DataFile
from fmnist_cli.data.mirrors import MirrorError, Track, WrongContent, deliver, sha256
from fmnist_cli.errors import DataError, MissingInput, OutputError, StorageError, Unavailable
from fmnist_cli.files import make_folder

__all__ = ["MIRROR_VARIABLE", "Splits", "Track", "default_folder", "fetch", "verify"]

Splits: TypeAlias = Sequence[Literal["train", "test"]]

MIRROR_VARIABLE: Final = "FMNIST_MIRROR"
"""Environment variable that names one mirror; empty means unset."""

DATA_DIR_VARIABLE: Final = "FMNIST_DATA_DIR"
"""Environment variable that names the data folder; empty means unset."""

_LOCK_NAME: Final = ".fmnist-lock"
_PARTIAL_SUFFIX: Final = ".part"


def default_folder() -> Path:
    """What FMNIST_DATA_DIR names, or the user's cache folder for fmnist."""
    named = os.environ.get(DATA_DIR_VARIABLE, "")
    if named:
        return Path(named)
    import platformdirs

    return platformdirs.user_cache_path("fmnist", appauthor=False)


def fetch(
    folder: Path,
    *,
    mirrors: Sequence[str] = (),
    splits: Splits = ("train", "test"),
    force: bool = False,
    track: Track | None = None,
) -> None:
    """Put the files of these splits into `folder`, each checked by size and SHA-256.

    mirrors: URLs or folders, tried in order before the one that FMNIST_MIRROR names and those of
    `facts.MIRRORS`. force: fetch what is in place, too. Where everything is in place, neither the
    network nor the folder is touched. Any number of processes may fetch into one folder at once.
    Raises Unavailable where no mirror delivers, DataError where one delivered something else,
    OutputError or StorageError where the folder can't be made or written.
    """
    files = _files(splits)
    if not force and all(_fault(folder, file) is None for file in files):
        return
    from filelock import FileLock

    make_folder(folder)
    lock = FileLock(folder / _LOCK_NAME)
    try:
        lock.acquire()
    except OSError as error:
        raise OutputError(f"can't write in '{folder}': {error.strerror}") from None
    named = [*mirrors, os.environ.get(MIRROR_VARIABLE, ""), *MIRRORS]
    candidates = list(dict.fromkeys(mirror for mirror in named if mirror))
    try:
        for file in files:
            # Another process may have put it there while this one waited.
            if force or _fault(folder, file) is not None:
                _fetch_file(file, folder, candidates, force, track)
    finally:
        lock.release()


def verify(folder: Path, splits: Splits = ("train", "test")) -> None:
    """Check that the files of these splits are in `folder`, by size and SHA-256; mends nothing.

    Raises MissingInput or DataError for the first that is not.
    """
    for file in _files(splits):
        fault = _fault(folder, file)
        if fault is not None:
            raise fault


def _files(splits: Splits) -> list[DataFile]:
    return [file for split in splits for file in FILES[split]]


def _fault(folder: Path, file: DataFile) -> MissingInput | DataError | None:
    """What is wrong with a file in its place; None where it is right."""
    path = folder / file.name
    if not path.is_file():
        return MissingInput(f"no '{file.name}' in '{folder}'; fetch it: fmnist download")
    if path.stat().st_size != file.size_bytes or sha256(path) != file.sha256:
        return DataError(f"'{path}' is not the official file; fetch it anew: fmnist download")
    return None


def _fetch_file(
    file: DataFile, folder: Path, mirrors: list[str], force: bool, track: Track | None
) -> None:
    """Try mirror after mirror. The one that delivers becomes the first of the list."""
    path = folder / file.name
    partial = path.with_name(path.name + _PARTIAL_SUFFIX)
    if force:
        partial.unlink(missing_ok=True)
    faults: dict[str, MirrorError] = {}
    for mirror in mirrors:
        try:
            deliver(file, mirror, partial, track)
        except MirrorError as fault:
            faults[mirror] = fault
            continue
        try:
            partial.replace(path)
        except OSError as error:
            raise StorageError(f"can't put '{path}' in place: {error.strerror}") from error
        # The next file need not wait for mirrors that do not answer.
        mirrors.remove(mirror)
        mirrors.insert(0, mirror)
        return
    kind = DataError if any(isinstance(f, WrongContent) for f in faults.values()) else Unavailable
    reasons = "; ".join(f"{mirror}: {fault}" for mirror, fault in faults.items())
    raise kind(
        f"no mirror delivers '{file.name}'\n{reasons}\n"
        "try again later, or name another source: fmnist download --mirror URL|DIR"
    )
