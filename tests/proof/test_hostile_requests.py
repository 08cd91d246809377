"""Hostile requests: the server answers the good ones beside them, and its memory stays small."""

import re
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from random import Random

import pytest

from tests.memory import peak_bytes
from tests.proof.conftest import Record
from tests.sample_images import draw, png
from tests.serve import hostile
from tests.serve.hostile import Hostile
from tests.serve.serving import Server, serving
from tests.written_models import write_onnx

MAX_BYTES = 300_000_000
MAX_GOOD_SECONDS = 1.0
CLIENTS = 16
GOOD = png(draw(1, "test").images[0])


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("small network", 150),
        pytest.param("small network", 2_000, marks=pytest.mark.proof),
        pytest.param("pretrained", 2_000, marks=pytest.mark.proof),
    ],
)
def test_it_goes_on_serving(name: str, count: int, tmp_path: Path, record: Record) -> None:
    model = name if name == "pretrained" else write_onnx(tmp_path / "small.onnx")
    random = Random("proof of hostile requests")
    with serving(model) as server:
        started_at = time.monotonic()
        requests = [hostile.draw(random) for _ in range(count)]
        with good_requests(server) as good_seconds, ThreadPoolExecutor(CLIENTS) as pool:
            answers = list(pool.map(lambda one: send(server, one), requests))
        seconds = time.monotonic() - started_at
        assert server.process.poll() is None
        peak = peak_bytes(server.process.pid)
        server.process.terminate()
        assert server.process.wait(10) == 143
        assert server.process.stderr is not None
        assert server.process.stderr.read() == ""
    assert {request.kind for request in requests} == hostile.KINDS.keys()
    statuses = Counter(status for status in answers if status is not None)
    refused = sum(count for status, count in statuses.items() if status >= 400)
    assert not {status for status in statuses if status >= 500 and status != 503}
    record(
        f"hostile requests ({name})",
        count,
        f"{refused:,} refused, none with 500; {len(good_seconds):,} good ones answered, the "
        f"slowest in {max(good_seconds):.2f} s; at most {peak / 1e6:.0f} MB; {seconds:.0f} s",
    )
    assert max(good_seconds) < MAX_GOOD_SECONDS
    assert peak < MAX_BYTES


@contextmanager
def good_requests(server: Server) -> Iterator[list[float]]:
    """Send one good request after the other all the while; gives the seconds of each."""
    seconds: list[float] = []
    is_over = threading.Event()

    def ask() -> None:
        while not is_over.wait(0.05):
            asked_at = time.monotonic()
            answer = server.ask("/predict", GOOD)
            seconds.append(time.monotonic() - asked_at)
            assert answer.status_code == 200, answer.content

    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(ask)
        try:
            yield seconds
        finally:
            is_over.set()
        asking.result()


def send(server: Server, request: Hostile) -> int | None:
    """Send a request; returns the status of the first answer, if one was waited for and came."""
    received = b""
    with (
        suppress(ConnectionError, TimeoutError),
        socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection,
    ):
        for number, piece in enumerate(request.pieces):
            if number:
                time.sleep(request.pause_seconds)
            connection.sendall(piece)
        if request.waits:
            connection.settimeout(1)
            received = connection.recv(1 << 16)
    found = re.match(rb"HTTP/1\.1 (\d+)", received)
    return int(found[1]) if found else None
