"""A stream of inputs to a stream of predictions: in order, at constant memory, without delay.

A thread takes inputs as they come and a small pool reads them, beside inference and never more than
`_LOOK_AHEAD` of them ahead. A batch is what is ready: the first input's answer never waits longer
than `_PATIENCE_SECONDS` for others to share a batch with.
"""

import queue
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic
from typing import Final, TypeAlias

import numpy as np

from fmnist_cli.data.images import Images
from fmnist_cli.data.pictures import Picture
from fmnist_cli.errors import FmnistError
from fmnist_cli.inference.classifier import Probabilities
from fmnist_cli.inference.inputs import Input

_BATCH_SIZE: Final = 256
_LOOK_AHEAD: Final = 2 * _BATCH_SIZE
_PATIENCE_SECONDS: Final = 0.1
_READERS: Final = 4


@dataclass(frozen=True, slots=True)
class Prediction:
    """The answer to one input."""

    name: str
    picture: Picture | None
    probabilities: Probabilities | None
    """float32 [10]; None where the input could not be read."""
    error: str | None
    """Why it could not be read."""


@dataclass(frozen=True, slots=True)
class _Reading:
    """An input that was read, or the reason why it could not be."""

    name: str
    picture: Picture | None
    error: str | None


_Ahead: TypeAlias = "queue.Queue[Future[_Reading] | BaseException | None]"
"""Readings under way, in order; an exception of the input stream, or None, ends them."""


def predict(
    classify: Callable[[Images], Probabilities], inputs: Iterable[Input]
) -> Generator[list[Prediction], None, None]:
    """Classify inputs; yields predictions in input order, a batch at a time.

    classify: uint8 [N, 28, 28] to float32 [N, 10]. Whatever the iterator of inputs raises is raised
    here, after the answers to what came before. Close the iterator to stop early.
    """
    with _read_ahead(inputs) as ahead:
        batches = _Batches(ahead)
        while batch := batches.next():
            yield _classify(classify, batch)
        if batches.fault is not None:
            raise batches.fault


def _classify(
    classify: Callable[[Images], Probabilities], batch: list[_Reading]
) -> list[Prediction]:
    pictures = [reading.picture.pixels for reading in batch if reading.picture is not None]
    rows = iter(classify(np.stack(pictures))) if pictures else iter(())
    return [
        Prediction(
            reading.name, reading.picture, next(rows) if reading.picture else None, reading.error
        )
        for reading in batch
    ]


class _Batches:
    """Batches of what is ready, in order."""

    def __init__(self, ahead: _Ahead) -> None:
        self.fault: BaseException | None = None
        """What ended the stream of inputs, once `next` has given an empty batch."""
        self._ahead = ahead
        self._head: Future[_Reading] | None = None
        self._has_ended = False

    def next(self) -> list[_Reading]:
        """Wait for one reading, then for more as long as patience lasts; empty at the end."""
        batch: list[_Reading] = []
        deadline = None
        while len(batch) < _BATCH_SIZE:
            try:
                reading = self._take(deadline)
            except (queue.Empty, TimeoutError):
                break
            if reading is None:
                break
            batch.append(reading)
            deadline = deadline or monotonic() + _PATIENCE_SECONDS
        return batch

    def _take(self, deadline: float | None) -> _Reading | None:
        """The next reading; None at the end. Raises Empty or TimeoutError after the deadline."""
        if self._has_ended:
            return None
        if self._head is None:
            item = self._ahead.get(timeout=_seconds_until(deadline))
            if not isinstance(item, Future):
                self._has_ended = True
                self.fault = item
                return None
            self._head = item
        reading = self._head.result(_seconds_until(deadline))
        self._head = None
        return reading


def _seconds_until(deadline: float | None) -> float | None:
    return None if deadline is None else max(0.0, deadline - monotonic())


@contextmanager
def _read_ahead(inputs: Iterable[Input]) -> Iterator[_Ahead]:
    """Read inputs in the background while the context lasts."""
    ahead: _Ahead = queue.Queue(_LOOK_AHEAD)
    stop = threading.Event()
    pool = ThreadPoolExecutor(_READERS, thread_name_prefix="fmnist-read")

    def feed() -> None:
        fault: BaseException | None = None
        try:
            for item in inputs:
                if stop.is_set():
                    return
                ahead.put(pool.submit(_read, item))
        except BaseException as error:  # noqa: BLE001 - raised again where the results are taken
            fault = error
        ahead.put(fault)

    # A daemon, because it may be waiting for a line on stdin that never comes.
    threading.Thread(target=feed, name="fmnist-inputs", daemon=True).start()
    try:
        yield ahead
    finally:
        stop.set()
        pool.shutdown(wait=False, cancel_futures=True)
        # The thread may be waiting for room; it stops after the next input it takes.
        while not ahead.empty():
            ahead.get_nowait()


def _read(item: Input) -> _Reading:
    try:
        return _Reading(item.name, item.read(), None)
    except FmnistError as error:
        return _Reading(item.name, None, str(error))
