"""Limits on memory, time and what waits: each has its status."""

import asyncio
from collections.abc import Sequence
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
from tests.sample_images import draw
from tests.serve.serving import png
from tests.written_models import write_onnx

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


def status(reader: Uploads, given: Request) -> int:
    with pytest.raises(HTTPException) as caught:
        asyncio.run(size(reader, given))
    return caught.value.status_code


def test_memory_of_all_uploads_with_room_for_small_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "MAX_HELD_BYTES", 100)
    monkeypatch.setattr(uploads, "RESERVED_BYTES", 40)
    monkeypatch.setattr(uploads, "_SMALL_BYTES", 10)
    reader = Uploads()

    async def run() -> None:
        async with reader.read(request([bytes(60)])):
            assert await size(reader, request([bytes(10)])) == 10
            for pieces in ([bytes(11)], [bytes(6), bytes(5)]):
                with pytest.raises(HTTPException) as caught:
                    await size(reader, request(pieces))
                assert caught.value.status_code == 503
                assert caught.value.headers is not None
                assert "Retry-After" in caught.value.headers
        assert await size(reader, request([bytes(60)])) == 60

    asyncio.run(run())


def test_an_oversized_body_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "MAX_BODY_BYTES", 100)
    monkeypatch.setattr(uploads, "MAX_HELD_BYTES", 150)
    assert status(Uploads(), request([bytes(60)] * 5)) == 413


def test_a_body_that_never_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    assert status(Uploads(), request([bytes(1_000_000)] * 100, is_complete=False)) == 413


def test_a_body_that_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "BODY_SECONDS", 0.1)
    reader = Uploads()
    assert status(reader, request([bytes(10)], is_complete=False)) == 408
    assert status(reader, request([bytes(10)] * 20, pause=0.02)) == 408
    assert asyncio.run(size(reader, request([bytes(10)]))) == 10


@pytest.fixture
def served(tmp_path: Path) -> Service:
    return Service(load(write_onnx(tmp_path / "model.onnx"), device="cpu"))


def test_pictures_that_wait(monkeypatch: pytest.MonkeyPatch, served: Service) -> None:
    monkeypatch.setattr(service, "MAX_WAITING", 3)

    async def run() -> None:
        first = asyncio.create_task(served.predict(PICTURES[:2], "on"))
        await asyncio.sleep(0)
        assert served.is_ready
        with pytest.raises(HTTPException) as caught:
            await served.predict(PICTURES[2:4], "auto")
        assert caught.value.status_code == 503
        assert len(await first) == 2
        # One request may hold more than that, if it is alone.
        assert len(await served.predict(PICTURES, "auto")) == 5

    asyncio.run(run())


def test_an_answer_that_takes_too_long(monkeypatch: pytest.MonkeyPatch, served: Service) -> None:
    monkeypatch.setattr(service, "ANSWER_SECONDS", 0.05)

    async def run() -> None:
        pause = asyncio.Event()

        async def wait(*_arguments: Any) -> Any:
            await pause.wait()

        monkeypatch.setattr(served, "_decode", wait)
        with pytest.raises(HTTPException) as caught:
            await served.predict(PICTURES[:1], "auto")
        assert caught.value.status_code == 503
        assert served.is_ready

    asyncio.run(run())


def test_pixels_are_counted_before_decoding(served: Service) -> None:
    async def run() -> None:
        large = png(np.random.default_rng(0).integers(0, 255, (3_600, 3_600), np.uint8))
        (prediction,) = await served.predict([Upload("-", large)], "auto")
        assert prediction.error is not None
        assert "12,500,000" in prediction.error

    asyncio.run(run())
