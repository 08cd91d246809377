"""A mirror on 127.0.0.1 that serves files, and misbehaves in a chosen way."""

import threading
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeAlias

Answer: TypeAlias = Callable[["Request", bytes], None]
"""Answers one request for a file of that content."""


class Request(BaseHTTPRequestHandler):
    """One request, with what the answers below need."""

    server: "Mirror"

    def do_GET(self) -> None:
        self.server.requests.append(self.path)
        content = self.server.files.get(self.path.rpartition("/")[2])
        if content is None:
            self.reply(404)
            return
        number = self.server.requests.count(self.path) - 1
        answers = self.server.answers
        answers[min(number, len(answers) - 1)](self, content)

    def reply(self, status: int, body: bytes = b"", **headers: object) -> None:
        self.send_response(status)
        for name, value in {"Content_Length": len(body), **headers}.items():
            if value is not None:
                self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002
        """Keep the tests' output clean."""


class Mirror(ThreadingHTTPServer):
    """Serves `files` by name; the n-th request for a path gets the n-th answer, or the last."""

    daemon_threads = True

    def __init__(self, files: Mapping[str, bytes], answers: tuple[Answer, ...]) -> None:
        super().__init__(("127.0.0.1", 0), Request)
        self.files = files
        self.answers = answers
        self.requests: list[str] = []
        self.released = threading.Event()
        """Set when the test is over; ends the answers that stall."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/fashion"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore a client that hangs up early."""


@contextmanager
def serve(files: Mapping[str, bytes], *answers: Answer) -> Iterator[Mirror]:
    """Run a mirror for the length of a with-block."""
    with Mirror(files, answers or (honest,)) as mirror:
        thread = threading.Thread(target=mirror.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield mirror
        finally:
            mirror.released.set()
            mirror.shutdown()
            thread.join()


def honest(request: Request, content: bytes) -> None:
    """Serve the file."""
    request.reply(200, content)


def status(code: int) -> Answer:
    """Answer with a status and nothing else."""
    return lambda request, _content: request.reply(code)


def broken_off(share: float) -> Answer:
    """Promise the whole file, but hang up after a part of it."""

    def answer(request: Request, content: bytes) -> None:
        request.reply(200, content[: int(len(content) * share)], Content_Length=len(content))
        request.close_connection = True

    return answer


def body(wrong: bytes) -> Answer:
    """Serve something else."""
    return lambda request, _content: request.reply(200, wrong)


def endless(request: Request, content: bytes) -> None:
    """Serve the file and never stop sending."""
    request.reply(200, content, Content_Length=None)
    while not request.server.released.is_set():
        request.wfile.write(b"\0" * 65_536)


def bomb(**headers: object) -> Answer:
    """Send content without end that grows a thousandfold in a client that unpacks it."""

    def answer(request: Request, _content: bytes) -> None:
        request.reply(200, b"", Content_Encoding="gzip", **headers)
        packer = zlib.compressobj(wbits=31)
        while not request.server.released.is_set():
            request.wfile.write(packer.compress(bytes(1 << 20)))

    return answer


packed_bomb, endless_bomb = bomb(Content_Length=10**9), bomb(Content_Length=None)


def stalled(request: Request, content: bytes) -> None:
    """Send a little, then nothing, without hanging up."""
    request.reply(200, content[:2], Content_Length=len(content))
    request.wfile.flush()
    request.server.released.wait(30)


def trickling(request: Request, content: bytes) -> None:
    """Send 5 kB a second: too little, but never silent."""
    request.reply(200, content[:2], Content_Length=len(content))
    for start in range(2, len(content), 100):
        if request.server.released.wait(0.02):
            return
        request.wfile.write(content[start : start + 100])


def redirect(location: str) -> Answer:
    """Send the client elsewhere."""
    return lambda request, _content: request.reply(302, Location=location)
