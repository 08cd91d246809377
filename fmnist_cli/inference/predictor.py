"""A stream of inputs to a stream of predictions: in order, at constant memory, without delay.

A thread takes inputs as they come and reads them, beside inference and never more than
`_LOOK_AHEAD` of them ahead; where a reading takes long, a small pool does it. Another thread
classifies, so that a batch is under way while its predecessor's answers are written. A batch is
what is ready: the first input's answer never waits longer than `_PATIENCE_SECONDS` for others to
share a batch with.
"""

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic, perf_counter
from typing import Final, TypeAlias

import numpy as np

from fmnist_cli.data.images import Images
from fmnist_cli.data.pictures import Picture
from fmnist_cli.errors import FmnistError
from fmnist_cli.inference.classifier import Probabilities
from fmnist_cli.inference.inputs import Input

_BATCH_SIZE: Final = 256
_ENOUGH: Final = 64
"""As many are no slower an image than a full batch: no reason for the network to wait for more."""
_LOOK_AHEAD: Final = 2 * _BATCH_SIZE
_PATIENCE_SECONDS: Final = 0.1
_READERS: Final = 4
_WORTH_A_THREAD: Final = 1e-3
"""Mean seconds of a reading from which on the pool does it: large pictures, slow disks. A small
picture is read faster than it is handed over."""
_MEMORY: Final = 1 / 16
"""Share of the latest reading in that mean."""


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


_Entry: TypeAlias = "_Reading | Future[_Reading]"


def predict(
    classify: Callable[[Images], Probabilities], inputs: Iterable[Input]
) -> Generator[list[Prediction], None, None]:
    """Classify inputs; yields predictions in input order, a batch at a time.

    classify: uint8 [N, 28, 28] to float32 [N, 10]. Whatever the iterator of inputs raises is raised
    here, after the answers to what came before. Close the iterator to stop early.
    """
    with _read_ahead(inputs) as ahead, _network_thread(ahead) as network:

        def next_answers() -> list[Prediction]:
            return _classify(classify, ahead.next_batch())

        coming = network.submit(next_answers)
        while answers := coming.result():
            coming = network.submit(next_answers)
            yield answers
        if ahead.fault is not None:
            raise ahead.fault


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


class _Ahead:
    """Readings in order, done or under way: a bounded queue that gives batches.

    Neither side wakes the other for each reading: that would take longer than reading it.
    """

    def __init__(self) -> None:
        self.fault: BaseException | None = None
        """What ended the stream of inputs, once `next_batch` has given an empty one."""
        self.is_closed = False
        self._has_ended = False
        self._entries: deque[_Entry] = deque()
        self._changed = threading.Condition()

    def put(self, entry: _Entry) -> None:
        """Append, as soon as there is room."""
        with self._changed:
            self._changed.wait_for(lambda: self.is_closed or len(self._entries) < _LOOK_AHEAD)
            self._entries.append(entry)
            if len(self._entries) in (1, _ENOUGH):
                self._changed.notify_all()

    def end(self, fault: BaseException | None) -> None:
        """There are no more; `fault` is why, if not because all are there."""
        with self._changed:
            self.fault, self._has_ended = fault, True
            self._changed.notify_all()

    def close(self) -> None:
        """Nobody asks any more."""
        with self._changed:
            self.is_closed = True
            self._entries.clear()
            self._changed.notify_all()

    def next_batch(self) -> list[_Reading]:
        """Wait for one reading, then for more as long as patience lasts; empty at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._entries or self._has_ended or self.is_closed)
            first = self._entries[0] if self._entries else None
        if isinstance(first, Future):
            wait([first])
        deadline = monotonic() + _PATIENCE_SECONDS
        with self._changed:
            self._changed.wait_for(self._has_enough, _PATIENCE_SECONDS)
            entries = [self._entries.popleft() for _ in range(min(_BATCH_SIZE, len(self._entries)))]
            self._changed.notify_all()
        batch = []
        for number, entry in enumerate(entries):
            if isinstance(entry, Future):
                if not wait([entry], max(0.0, deadline - monotonic())).done:
                    with self._changed:
                        self._entries.extendleft(reversed(entries[number:]))
                    break
                entry = entry.result()
            batch.append(entry)
        return batch

    def _has_enough(self) -> bool:
        return self._has_ended or self.is_closed or len(self._entries) >= _ENOUGH


class _Reader:
    """Reads inputs one by one, or by a pool where that is worth it."""

    def __init__(self, ahead: _Ahead, pool: ThreadPoolExecutor) -> None:
        self._ahead = ahead
        self._pool = pool
        self._mean_seconds: float | None = None

    def run(self, inputs: Iterable[Input]) -> None:
        """Read all inputs, or until nobody asks any more."""
        fault: BaseException | None = None
        try:
            for item in inputs:
                if self._ahead.is_closed:
                    return
                if (self._mean_seconds or 0.0) > _WORTH_A_THREAD:
                    self._ahead.put(self._pool.submit(self._read, item))
                else:
                    self._ahead.put(self._read(item))
        except BaseException as error:  # noqa: BLE001 - raised again where the results are taken
            fault = error
        self._ahead.end(fault)

    def _read(self, item: Input) -> _Reading:
        started_at = perf_counter()
        try:
            reading = _Reading(item.name, item.read(), None)
        except FmnistError as error:
            reading = _Reading(item.name, None, str(error))
        if self._mean_seconds is None:  # the first one imports what decodes pictures
            self._mean_seconds = 0.0
        else:
            self._mean_seconds += _MEMORY * (perf_counter() - started_at - self._mean_seconds)
        return reading


@contextmanager
def _read_ahead(inputs: Iterable[Input]) -> Iterator[_Ahead]:
    """Read inputs in the background while the context lasts."""
    ahead = _Ahead()
    pool = ThreadPoolExecutor(_READERS, thread_name_prefix="fmnist-read")
    reader = _Reader(ahead, pool)
    # A daemon, because it may be waiting for a line on stdin that never comes.
    threading.Thread(target=reader.run, args=(inputs,), name="fmnist-inputs", daemon=True).start()
    try:
        yield ahead
    finally:
        # The thread may be waiting for room; it stops before the next input it reads.
        ahead.close()
        pool.shutdown(wait=False, cancel_futures=True)


@contextmanager
def _network_thread(ahead: _Ahead) -> Iterator[ThreadPoolExecutor]:
    """A thread for inference while the context lasts; it may be waiting for `ahead`."""
    network = ThreadPoolExecutor(1, thread_name_prefix="fmnist-network")
    try:
        yield network
    finally:
        ahead.close()
        network.shutdown(wait=False, cancel_futures=True)
