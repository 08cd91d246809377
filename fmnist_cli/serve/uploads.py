"""The pictures in a request: one raw body, or the files of a multipart form. Never on disk."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final, NamedTuple

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from fmnist_cli.inference.inputs import STDIN

MAX_BODY_BYTES: Final = 20_000_000
MAX_HELD_BYTES: Final = 50_000_000
"""Total of the bodies that are in memory at a time."""
RESERVED_BYTES: Final = 10_000_000
"""The part of it that is kept free for small bodies."""
_SMALL_BYTES: Final = 250_000
MAX_FILES: Final = 64
BODY_SECONDS: Final = 60
"""Time for a body to arrive; a large photo over a slow mobile connection takes half of it."""
RETRY_LATER: Final = {"Retry-After": "1"}

_PIECE_BYTES: Final = 1 << 16
_MAX_DISCARDED_BYTES: Final = 3 * MAX_BODY_BYTES
"""Read from an oversized body before answering: many clients send all of it before they read."""
_CLOSE: Final = {"Connection": "close"}
_MULTIPART: Final = "multipart/form-data"
_RAW: Final = ("application/octet-stream", "application/x-www-form-urlencoded", "")
"""Types of a raw body besides `image/*`; the second is what `curl --data-binary` sends."""


class Upload(NamedTuple):
    """One picture as it was sent."""

    name: str
    """The file's name; `-` for a raw body."""
    content: bytes


class Uploads:
    """Reads the pictures of requests, within a limit on the memory of all of them."""

    def __init__(self) -> None:
        self._held_bytes = 0

    @asynccontextmanager
    async def read(self, request: Request) -> AsyncIterator[list[Upload]]:
        """Hold the pictures of a request for the length of a with-block.

        Raises HTTPException: 400, 408, 413, 415 or 503.
        """
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind not in (*_RAW, _MULTIPART) and not kind.startswith("image/"):
            raise HTTPException(
                415, f"the body is {kind[:100]!r}; expected a picture as it is, or {_MULTIPART}"
            )
        held_bytes = 0

        def hold(count: int) -> None:
            nonlocal held_bytes
            is_small = held_bytes + count <= _SMALL_BYTES
            room = MAX_HELD_BYTES - (0 if is_small else RESERVED_BYTES)
            if self._held_bytes + count > room:
                raise HTTPException(
                    503, "too many uploads at once; try again", {**RETRY_LATER, **_CLOSE}
                )
            self._held_bytes += count
            held_bytes += count

        try:
            body = await _receive(request, hold)
            if not body:
                raise HTTPException(400, "the body is empty; expected a picture")
            files = await _files(request, body) if kind == _MULTIPART else [Upload(STDIN, body)]
            del body
            yield files
        finally:
            self._held_bytes -= held_bytes


async def _receive(request: Request, hold: Callable[[int], None]) -> bytes:
    """The body; `hold` is called with the size of each piece that is kept."""
    pieces: list[bytes] = []
    claimed = request.headers.get("content-length", "")
    size = int(claimed) if claimed.isdecimal() and int(claimed) > MAX_BODY_BYTES else 0
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for piece in request.stream():
                size += len(piece)
                if size > _MAX_DISCARDED_BYTES:
                    break
                if size <= MAX_BODY_BYTES:
                    hold(len(piece))
                    pieces.append(piece)
    except TimeoutError:
        raise HTTPException(
            408, f"the body did not arrive within {BODY_SECONDS} s", _CLOSE
        ) from None
    if size > MAX_BODY_BYTES:
        raise HTTPException(
            413, f"the body is too large; expected at most {MAX_BODY_BYTES:,} bytes", _CLOSE
        )
    return b"".join(pieces)


class _FormInMemory(MultiPartParser):
    """Starlette's parser, which would write files of more than a megabyte to disk."""

    spool_max_size = MAX_BODY_BYTES


async def _files(request: Request, body: bytes) -> list[Upload]:
    """The files of a form; other fields are ignored. Raises HTTPException 400."""

    async def stream() -> AsyncIterator[bytes]:
        for start in range(0, len(body), _PIECE_BYTES):
            yield body[start : start + _PIECE_BYTES]

    try:
        form = await _FormInMemory(request.headers, stream(), max_files=MAX_FILES).parse()  # type: ignore[arg-type]
    except MultiPartException as error:
        raise HTTPException(400, f"the form can't be read: {error.message}") from None
    files = [
        Upload(file.filename or "", file.file.read())
        for _, file in form.multi_items()
        if isinstance(file, UploadFile) and (file.filename or file.size)
    ]
    await form.close()
    if not files:
        raise HTTPException(400, "the form has no file; expected pictures as files")
    return files
