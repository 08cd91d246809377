"""uvicorn with the limits that it lacks, on a port that is taken before the model is loaded."""

import asyncio
import ctypes
import errno
import gc
import json
import logging
import socket
import sys
from contextlib import suppress
from typing import Any, Final

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from fmnist_cli.errors import Unavailable
from fmnist_cli.serve.pages import SECURITY_HEADERS

STOP_SECONDS: Final = 8
"""Time for requests in flight after a signal; the process ends within 10 s."""
_HEAD_SECONDS: Final = 10
_MAX_HEAD_BYTES: Final = 1 << 16
_BACKLOG: Final = 2_048
_M_MMAP_THRESHOLD: Final = -3
"""From glibc's malloc.h."""
_LARGE_BLOCK_BYTES: Final = 1 << 20


def listen(host: str, port: int) -> socket.socket:
    """Take a port; 0 takes any that is free. Raises Unavailable."""
    try:
        family, *_ = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        advice = "choose another port, or 0 for any that is free: fmnist serve --port 0"
        if getattr(error, "errno", None) not in (errno.EADDRINUSE, errno.EACCES):
            advice = "--host takes an address of this machine, or 0.0.0.0 for all that it has"
        raise Unavailable(f"can't listen on {host}, port {port}: {reason}\n{advice}") from None


def url_of(listener: socket.socket) -> str:
    """Where a browser on this machine finds the server."""
    host, port = listener.getsockname()[:2]
    local = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    return f"http://[{local}]:{port}" if ":" in local else f"http://{local}:{port}"


def run(app: Any, listener: socket.socket) -> None:
    """Serve until SIGINT or SIGTERM; requests in flight are finished, then the signal is raised."""
    for name in ("uvicorn.error", "python_multipart"):  # a broken request is no news
        logging.getLogger(name).setLevel(logging.ERROR)
    _return_large_blocks()
    # What exists now stays: without it, the collector's pauses are shorter.
    gc.collect()
    gc.freeze()
    config = uvicorn.Config(
        app,
        http=_Protocol,
        ws="none",
        access_log=False,
        log_config=None,
        proxy_headers=False,
        server_header=False,
        headers=list(SECURITY_HEADERS.items()),
        backlog=_BACKLOG,
        timeout_graceful_shutdown=STOP_SECONDS,
    )
    uvicorn.Server(config).run([listener])


def _return_large_blocks() -> None:
    """Make glibc return large blocks to the system when they are freed.

    By default it keeps those of up to 32 MB, in each thread: after four large pictures the server
    held 293 MB at most instead of 201.
    """
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):  # another C library
            ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, _LARGE_BLOCK_BYTES)


class _Protocol(HttpToolsProtocol):
    """Bounds the time and the size of a request's head, for which httptools has no limit.

    It also tells the running request when its connection is closed: uvicorn tells the newest one,
    which may still be waiting behind it. Without this, a pipeline of hostile requests can leave
    other clients without an answer (tests/proof/test_hostile_requests.py).
    """

    _timer: asyncio.TimerHandle | None = None
    _head_bytes = 0
    _running: RequestResponseCycle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._hang_up()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._timer is not None:  # the head is not complete
            self._head_bytes += len(data)
            if self._head_bytes > _MAX_HEAD_BYTES:
                self.send_400_response("the head of the request is too large")

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._expect_head()

    def on_headers_complete(self) -> None:
        self._forget_head()
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        """Answer what is not HTTP, and hang up."""
        body = json.dumps({"error": msg}).encode()
        head = (
            "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        if not self.transport.is_closing():
            self.transport.write(head.encode() + body)
        self._hang_up()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._running = cycle
        super()._start_asgi_task(cycle, app)

    def _expect_head(self) -> None:
        self._forget_head()
        self._timer = self.loop.call_later(_HEAD_SECONDS, self._hang_up)

    def _forget_head(self) -> None:
        self._head_bytes = 0
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _hang_up(self) -> None:
        self._forget_head()
        if self._running is not None and not self._running.response_complete:
            self._running.disconnected = True
            self._running.message_event.set()
        self.transport.close()
