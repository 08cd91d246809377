"""The four official files: from mirrors into the data directory, verified by size and SHA-256."""

import hashlib
import os
import shlex
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, Literal, TypeAlias

from fmnist_cli.constants import FILES, MIRRORS, VERSION, DataFile
from fmnist_cli.errors import DataError, MissingInput, OutputError, Unavailable, in_one_line
from fmnist_cli.files import atomic_write, make_folder, sha256

Splits: TypeAlias = Sequence[Literal["train", "test"]]
Track: TypeAlias = Callable[[str, int, int], None]
"""Progress callback: the name of a file, its bytes so far and in total."""

MIRROR_VARIABLE: Final = "FMNIST_MIRROR"
"""Environment variable that names one mirror; empty means unset."""
DATA_DIR_VARIABLE: Final = "FMNIST_DATA_DIR"
"""Environment variable that names the data directory; empty means unset."""

CONNECT_SECONDS: Final = 10.0
READ_SECONDS: Final = 20.0
"""Longest silence of a server, and the time before the minimum speed applies."""
MIN_BYTES_PER_SECOND: Final = 10_000
PAUSES: Final = (0.0, 1.0, 2.0)
"""Seconds to wait before each attempt."""
_CHUNK_BYTES: Final = 1024
"""The speed is known only once a chunk is complete, so chunks are small."""


class MirrorError(Exception):
    """A mirror did not deliver a file; the message is a short reason."""


class WrongContent(MirrorError):  # noqa: N818
    """A mirror delivered something other than the official file."""


def default_folder() -> Path:
    """The directory that FMNIST_DATA_DIR names, or the user's cache directory for fmnist."""
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
    """Download the missing files of these splits into `folder`; safe if several processes do.

    mirrors: URLs or directories, tried in order before the one that FMNIST_MIRROR names and those
    in `constants.MIRRORS`. force: download and replace existing files, too. If nothing is missing,
    neither the network nor the folder is touched.
    Raises DataError if a file or what a mirror delivers is not the official one, Unavailable if no
    mirror delivers, OutputError or StorageError if the folder can't be created or written.
    """
    files = [file for split in splits for file in FILES[split]]
    if not force and not _missing(folder, files):
        return
    from filelock import FileLock

    make_folder(folder)
    named = [*mirrors, os.environ.get(MIRROR_VARIABLE, ""), *MIRRORS]
    candidates = list(dict.fromkeys(mirror for mirror in named if mirror))
    try:
        locked = FileLock(folder / ".fmnist-lock").acquire()
    except OSError as error:
        raise OutputError(f"can't write in '{folder}': {error.strerror}") from None
    with locked:
        # Another process may have downloaded them while this one waited.
        for file in files if force else _missing(folder, files):
            _fetch_file(file, folder, candidates, track)


def verify(folder: Path, splits: Splits = ("train", "test")) -> None:
    """Check the files of these splits in `folder` by size and SHA-256; changes nothing.

    Raises DataError if one is not the official file, MissingInput if one is missing.
    """
    missing = _missing(folder, [file for split in splits for file in FILES[split]])
    if missing:
        command = f"fmnist download{_option(folder)}"
        raise MissingInput(f"no '{missing[0].name}' in '{folder}'; fetch it: {command}")


def deliver(file: DataFile, mirror: str, path: Path, track: Track | None = None) -> None:
    """Write one file from one mirror, a URL or a directory, to `path`: verified, or not at all.

    Raises MirrorError, or OutputError or StorageError if `path` can't be written.
    """
    if mirror.lower().startswith(("http://", "https://")):
        content = _download(f"{mirror.rstrip('/')}/{file.name}", file, track)
    else:
        try:
            content = (Path(mirror) / file.name).read_bytes()
        except OSError as error:
            raise MirrorError(str(error.strerror).lower()) from None
    if not content.startswith(b"\x1f\x8b"):
        raise MirrorError("it sends no gzip file (perhaps a web page)")
    if len(content) != file.size_bytes:
        raise WrongContent(f"it holds {len(content):,} bytes, not {file.size_bytes:,}")
    if hashlib.sha256(content).hexdigest() != file.sha256:
        raise WrongContent("its SHA-256 is wrong")
    with atomic_write(path) as temporary:
        temporary.write_bytes(content)
    if track:
        track(file.name, file.size_bytes, file.size_bytes)


def _missing(folder: Path, files: list[DataFile]) -> list[DataFile]:
    """The files that don't exist. Raises DataError if one has other content, such as MNIST's."""
    existing = [file for file in files if (folder / file.name).is_file()]
    for file in existing:
        path = folder / file.name
        if path.stat().st_size != file.size_bytes or sha256(path) != file.sha256:
            raise DataError(
                f"'{path}' is not the official Fashion-MNIST file\n"
                "name another directory with --data-dir, or replace it: "
                f"fmnist download --force{_option(folder)}"
            )
    return [file for file in files if file not in existing]


def _option(folder: Path) -> str:
    """What names the directory in a suggested command; nothing for the default one."""
    return "" if folder == default_folder() else f" --data-dir {shlex.quote(str(folder))}"


def _fetch_file(file: DataFile, folder: Path, mirrors: list[str], track: Track | None) -> None:
    """Try one mirror after the other; the one that delivers moves to the front of the list."""
    faults: dict[str, MirrorError] = {}
    for mirror in mirrors:
        try:
            deliver(file, mirror, folder / file.name, track)
        except MirrorError as fault:
            faults[mirror] = fault
            continue
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


def _download(url: str, file: DataFile, track: Track | None) -> bytes:
    import requests

    for pause in PAUSES:
        time.sleep(pause)
        try:
            return _receive(url, file, track)
        except (requests.RequestException, ValueError) as error:  # a redirect to 'http://[', say
            reason, may_pass = _reason(error)
        if not may_pass:
            break
    raise MirrorError(reason)


def _receive(url: str, file: DataFile, track: Track | None) -> bytes:
    """Download a file; stops a mirror that sends too much or too slowly."""
    import requests

    headers = {"Accept-Encoding": "identity", "User-Agent": f"fmnist/{VERSION}"}
    timeouts = (CONNECT_SECONDS, READ_SECONDS)
    started_at, content = time.monotonic(), bytearray()
    with requests.get(url, headers=headers, timeout=timeouts, stream=True) as response:
        response.raise_for_status()
        for chunk in response.iter_content(_CHUNK_BYTES):
            content += chunk
            seconds = time.monotonic() - started_at
            if len(content) > file.size_bytes:
                raise WrongContent(f"it holds more than {file.size_bytes:,} bytes")
            if seconds > READ_SECONDS and len(content) < MIN_BYTES_PER_SECOND * seconds:
                raise MirrorError(f"it sends less than {MIN_BYTES_PER_SECOND:,} bytes/s")
            if track:
                track(file.name, len(content), file.size_bytes)
    return bytes(content)


def _reason(error: Exception) -> tuple[str, bool]:
    """A short reason, and whether another attempt at the same mirror may succeed."""
    status = getattr(getattr(error, "response", None), "status_code", 0)
    if status >= 400:
        return f"HTTP {status}", status == 429 or status >= 500
    cause = error.args[0] if error.args else error
    cause = getattr(cause, "reason", cause)  # urllib3's MaxRetryError wraps it once more
    words = " ".join(word for word in getattr(cause, "args", ()) if isinstance(word, str))
    # urllib3 begins with "HTTPConnection(host='…', port=…): ".
    text = in_one_line(words or str(cause)).rpartition("): ")[2]
    return text, type(cause).__name__ in ("ProtocolError", "ReadTimeoutError")
