"""Send hostile requests from several clients, with good ones beside them."""

import re
import socket
import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field

from tests.sample_images import draw
from tests.serve.hostile import Hostile
from tests.serve.serving import Server, png

_GOOD = png(draw(1, "test").images[0])


@dataclass
class Outcome:
    """What came of an attack."""

    kinds: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    """Of the first answer on each connection."""
    good: int = 0
    slowest_good_seconds: float = 0.0


def attack(server: Server, requests: Sequence[Hostile], *, clients: int) -> Outcome:
    """Send all requests; a good one follows another all the while."""
    outcome = Outcome()
    is_over = threading.Event()
    with ThreadPoolExecutor(clients + 1) as pool:
        good = pool.submit(_ask_good_ones, server, outcome, is_over)
        for request, statuses in zip(
            requests, pool.map(lambda one: _send(server, one), requests), strict=True
        ):
            outcome.kinds[request.kind] += 1
            outcome.statuses.update(statuses)
        is_over.set()
        good.result()
    return outcome


def _ask_good_ones(server: Server, outcome: Outcome, is_over: threading.Event) -> None:
    while not is_over.wait(0.05):
        asked_at = time.monotonic()
        answer = server.ask("/predict", _GOOD)
        seconds = time.monotonic() - asked_at
        assert answer.status_code == 200, answer.content
        outcome.good += 1
        outcome.slowest_good_seconds = max(outcome.slowest_good_seconds, seconds)


def _send(server: Server, request: Hostile) -> list[int]:
    """Send a request; returns the status of the answer, if one was waited for and came."""
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
    return [int(found[1])] if found else []
