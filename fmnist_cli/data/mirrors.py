"""One mirror of the official files: a URL, or a folder of this machine.

A file grows beside its place as a partial file. Whatever broke off is continued from there: by the
next attempt, by the next mirror, by the next run. Nothing that a mirror says is trusted: never more
is read than the file's size, and its SHA-256 decides.
"""

import hashlib
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final, Protocol
from urllib.parse import urljoin, urlsplit
from urllib.request import getproxies, proxy_bypass

from fmnist_cli.constants import VERSION, DataFile
from fmnist_cli.errors import OutputError, StorageError

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse, PoolManager

CONNECT_SECONDS: Final = 10.0
READ_SECONDS: Final = 20.0
"""Longest silence of a server."""
GRACE_SECONDS: Final = 20.0
"""How long an answer may take before its speed is judged."""
MIN_BYTES_PER_SECOND: Final = 10_000
ATTEMPTS: Final = 4
BACKOFF_SECONDS: Final = 0.5
"""Pause before the second attempt; it doubles from one to the next."""
MAX_REDIRECTS: Final = 5

_CHUNK_BYTES: Final = 65_536
_GZIP_MAGIC: Final = b"\x1f\x8b"
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})


class Track(Protocol):
    """Told how far a file has come, after each piece of it."""

    def __call__(self, file_name: str, done_bytes: int, total_bytes: int, /) -> None:
        """Take the name of the file and its bytes so far and in all."""
        ...


class MirrorError(Exception):
    """A mirror could not deliver a file; the message is the reason, in a few words."""


class WrongContent(MirrorError):  # noqa: N818
    """A mirror delivered something else."""


class BrokenOff(MirrorError):  # noqa: N818
    """The same mirror may well deliver if it is asked once more."""


def deliver(file: DataFile, mirror: str, partial: Path, track: Track | None = None) -> None:
    """Complete `partial` from one mirror; it then holds exactly the official bytes.

    Raises MirrorError where the mirror does not deliver them, OutputError where `partial` can't be
    created, StorageError where writing it fails. `partial` is kept where it can be continued.
    """
    was_started = _size(partial) > 0
    if is_url(mirror):
        _download(file, _join(mirror.rstrip("/") + "/", file.name), partial, track)
    else:
        _copy(file, Path(mirror) / file.name, partial, track)
    if sha256(partial) == file.sha256:
        return
    partial.unlink()
    if not was_started:
        raise WrongContent("its SHA-256 is wrong")
    # The fault may lie in what was there before.
    deliver(file, mirror, partial, track)


def is_url(mirror: str) -> bool:
    """Whether a mirror is asked over the network."""
    return mirror.lower().startswith(("http://", "https://"))


def sha256(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal digits. Raises StorageError where it can't be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise StorageError(f"'{path}' can't be read: {error.strerror}") from error


def _copy(file: DataFile, source: Path, partial: Path, track: Track | None) -> None:
    try:
        size_bytes = source.stat().st_size
        if size_bytes != file.size_bytes:
            raise WrongContent(f"it holds {size_bytes:,} bytes, not {file.size_bytes:,}")
        content = source.read_bytes()
    except FileNotFoundError:
        raise MirrorError("no such file") from None
    except OSError as error:
        raise MirrorError(str(error.strerror)) from None
    with _writing(partial, 0) as sink:
        sink.write(content)
    if track:
        track(file.name, len(content), file.size_bytes)


def _download(file: DataFile, url: str, partial: Path, track: Track | None) -> None:
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return _receive(file, url, partial, track)
        except BrokenOff:
            if attempt == ATTEMPTS:
                raise
            time.sleep(BACKOFF_SECONDS * 2 ** (attempt - 1))
    return None


def _receive(file: DataFile, url: str, partial: Path, track: Track | None) -> None:
    """Append to `partial` until it has the file's size."""
    done = _size(partial)
    if done > file.size_bytes:
        partial.unlink()
        done = 0
    if done == file.size_bytes:
        return
    with _answer(url, done) as response:
        done = _first_byte(response, file, partial, done)
        with _writing(partial, done) as sink:
            for chunk in _chunks(response, file.size_bytes - done):
                if done == 0:
                    _check_beginning(response, file, chunk)
                sink.write(chunk)
                done += len(chunk)
                if track:
                    track(file.name, done, file.size_bytes)
    if done < file.size_bytes:
        raise BrokenOff(f"it ended after {done:,} of {file.size_bytes:,} bytes")


def _check_beginning(response: "BaseHTTPResponse", file: DataFile, chunk: bytes) -> None:
    """Refuse another file at once, rather than after all of it."""
    if not chunk.startswith(_GZIP_MAGIC[: len(chunk)]):
        raise MirrorError("it sends no gzip file; perhaps a web page")
    length = response.headers.get("Content-Length", str(file.size_bytes))
    if length != str(file.size_bytes):
        raise WrongContent(f"it holds {length} bytes, not {file.size_bytes}")


@contextmanager
def _answer(url: str, first_byte: int) -> Iterator["BaseHTTPResponse"]:
    """Ask for a file from `first_byte` on, and follow redirects."""
    for _ in range(MAX_REDIRECTS + 1):
        response = _request(url, first_byte)
        try:
            if response.status not in _REDIRECTS:
                yield response
                return
            url = _join(url, response.headers.get("Location", ""))
        finally:
            response.close()
        if not is_url(url):
            raise MirrorError(f"it redirects to '{url}'")
    raise MirrorError(f"it redirects more than {MAX_REDIRECTS} times")


def _request(url: str, first_byte: int) -> "BaseHTTPResponse":
    import urllib3

    headers = {"Accept-Encoding": "identity", "User-Agent": f"fmnist/{VERSION}"}
    if first_byte:
        headers["Range"] = f"bytes={first_byte}-"
    try:
        return _connections(url).request(
            "GET",
            url,
            headers=headers,
            preload_content=False,
            decode_content=False,
            redirect=False,  # urllib3 would read the whole body of a redirect
            retries=False,
            timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS),
        )
    except urllib3.exceptions.HTTPError as error:
        raise _failure(error) from None


def _join(base: str, relative: str) -> str:
    try:
        return urljoin(base, relative)
    except ValueError:
        raise MirrorError("its address is malformed") from None


def _connections(url: str) -> "PoolManager":
    """Connections to that address, through the proxy that the environment names for it."""
    import urllib3

    parts = urlsplit(url)
    proxy = getproxies().get(parts.scheme.lower())
    if proxy and not proxy_bypass(parts.hostname or ""):
        return urllib3.ProxyManager(proxy)
    return urllib3.PoolManager()


def _first_byte(response: "BaseHTTPResponse", file: DataFile, partial: Path, asked_for: int) -> int:
    """Where in the file the answer's body begins: what was asked for, or 0. Raises MirrorError."""
    if response.status == 200:
        return 0
    if response.status == 206:
        content_range = response.headers.get("Content-Range", "")
        if re.fullmatch(rf"bytes {asked_for}-\d+/({file.size_bytes}|\*)", content_range):
            return asked_for
    if response.status in (206, 416):  # the next attempt asks for all of it
        partial.unlink(missing_ok=True)
        raise BrokenOff("it does not continue a file rightly")
    reason = f"HTTP {response.status}"
    raise BrokenOff(reason) if response.status in (429, *range(500, 600)) else MirrorError(reason)


def _chunks(response: "BaseHTTPResponse", wanted_bytes: int) -> Iterator[bytes]:
    """The body as it arrives, at most `wanted_bytes` of it."""
    import urllib3

    started_at = time.monotonic()
    received_bytes = 0
    while received_bytes < wanted_bytes:
        try:
            chunk = response.read1(min(_CHUNK_BYTES, wanted_bytes - received_bytes))
        except urllib3.exceptions.HTTPError as error:
            raise _failure(error) from None
        if not chunk:
            return
        yield chunk
        received_bytes += len(chunk)
        seconds = time.monotonic() - started_at
        if seconds > GRACE_SECONDS and received_bytes < MIN_BYTES_PER_SECOND * seconds:
            raise MirrorError(f"it sends less than {MIN_BYTES_PER_SECOND:,} bytes/s")


def _failure(error: Exception) -> MirrorError:
    """Say in a few words what urllib3 met."""
    from urllib3 import exceptions

    match error:
        case exceptions.ReadTimeoutError():
            return BrokenOff(f"it was silent for {READ_SECONDS:g} s")
        case exceptions.NameResolutionError():
            return MirrorError("its address is not found")
        case exceptions.NewConnectionError():
            return MirrorError("no connection")
        case exceptions.ConnectTimeoutError():
            return MirrorError(f"no connection within {CONNECT_SECONDS:g} s")
        case exceptions.ProxyError():
            return MirrorError("the proxy does not answer")
        case exceptions.SSLError():
            return MirrorError(f"TLS failed: {str(error)[:120]}")
        case exceptions.ProtocolError():
            return BrokenOff("the connection broke off")
    return MirrorError(f"{type(error).__name__}: {str(error)[:120]}")


@contextmanager
def _writing(partial: Path, offset: int) -> Iterator[BinaryIO]:
    """Open a partial file to write from `offset` on; what is written is on the disk at the end."""
    try:
        sink = partial.open("r+b" if offset else "wb")
    except OSError as error:
        raise OutputError(f"can't create '{partial}': {error.strerror}") from None
    try:
        with sink:
            sink.seek(offset)
            yield sink
            sink.flush()
            os.fsync(sink.fileno())
    except OSError as error:
        raise StorageError(f"writing '{partial}' failed: {error.strerror}") from error
    finally:
        if not _size(partial):
            partial.unlink(missing_ok=True)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
