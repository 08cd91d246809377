"""Limits on memory, time and what waits: each has its status."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from starlette.exceptions import HTTPException
from starlette.requests import Request

from fmnist_cli.inference.loading import load
from fmnist_cli.serve import service, uploads
from fmnist_cli.serve.service import Service
from fmnist_cli.serve.uploads import Upload, Uploads
from tests.sample_images import draw, png
from tests.written_models import write_onnx

pytestmark = pytest.mark.anyio
PICTURES = [Upload(str(n), png(image)) for n, image in enumerate(draw(5, "test").images)]


def request(pieces: Sequence[bytes], *, pause: float = 0, is_complete: bool = True) -> Request:
    """A request whose body arrives in pieces."""
    messages: list[dict[str, Any]] = [
        {"type": "http.request", "body": piece, "more_body": True} for piece in pieces
    ]
    if is_complete:
        messages[-1]["more_body"] = False

    async def receive() -> Any:
        await asyncio.sleep(pause if messages else 10)
        return messages.pop(0)

    return Request({"type": "http", "method": "POST", "headers": [], "path": "/"}, receive)


async def size(reader: Uploads, given: Request) -> int:
    async with reader.read(given) as files:
        return sum(len(file.content) for file in files)


@contextmanager
def refused(status: int) -> Iterator[None]:
    """The work inside is refused with this status."""
    with pytest.raises(HTTPException) as caught:
        yield
    assert caught.value.status_code == status
    assert (status == 503) == ("Retry-After" in (caught.value.headers or {}))


async def test_memory_of_all_uploads_with_room_for_small_ones(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(uploads, "MAX_HELD_BYTES", 100)
    monkeypatch.setattr(uploads, "RESERVED_BYTES", 40)
    monkeypatch.setattr(uploads, "_SMALL_BYTES", 10)
    reader = Uploads()

    async with reader.read(request([bytes(60)])):
        assert await size(reader, request([bytes(10)])) == 10
        for pieces in ([bytes(11)], [bytes(6), bytes(5)]):
            with refused(503):
                await size(reader, request(pieces))
    assert await size(reader, request([bytes(60)])) == 60


async def test_an_oversized_body_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "MAX_BODY_BYTES", 100)
    monkeypatch.setattr(uploads, "MAX_HELD_BYTES", 150)
    with refused(413):
        await size(Uploads(), request([bytes(60)] * 5))


async def test_a_body_that_never_ends() -> None:
    with refused(413):
        await size(Uploads(), request([bytes(1_000_000)] * 100, is_complete=False))


async def test_a_body_that_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "BODY_SECONDS", 0.1)
    reader = Uploads()
    with refused(408):
        await size(reader, request([bytes(10)], is_complete=False))
    with refused(408):
        await size(reader, request([bytes(10)] * 20, pause=0.02))
    assert await size(reader, request([bytes(10)])) == 10


@pytest.fixture
def served(tmp_path: Path) -> Service:
    return Service(load(write_onnx(tmp_path / "model.onnx"), device="cpu"))


async def test_pictures_that_wait(monkeypatch: pytest.MonkeyPatch, served: Service) -> None:
    monkeypatch.setattr(service, "MAX_WAITING", 3)

    first = asyncio.create_task(served.predict(PICTURES[:2], "on"))
    await asyncio.sleep(0)
    assert served.is_ready
    with refused(503):
        await served.predict(PICTURES[2:4], "auto")
    assert len(await first) == 2
    # One request may hold more than that, if it is alone.
    assert len(await served.predict(PICTURES, "auto")) == 5


async def test_an_answer_that_takes_too_long(
    monkeypatch: pytest.MonkeyPatch, served: Service
) -> None:
    monkeypatch.setattr(service, "ANSWER_SECONDS", 0.05)

    pause = asyncio.Event()

    async def wait(*_arguments: Any) -> Any:
        await pause.wait()

    monkeypatch.setattr(served, "_decode", wait)
    with refused(503):
        await served.predict(PICTURES[:1], "auto")
    assert served.is_ready


async def test_pixels_are_counted_before_decoding(served: Service) -> None:
    large = png(np.random.default_rng(0).integers(0, 255, (3_600, 3_600), np.uint8))
    (prediction,) = await served.predict([Upload("-", large)], "auto")
    assert prediction.error is not None
    assert "12,500,000" in prediction.error
