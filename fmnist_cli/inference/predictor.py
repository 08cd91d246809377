"""A stream of inputs to a stream of predictions: in order, without delay, at constant memory.

A few threads read the inputs, each taking the next one in turn, and put what they have read into a
queue in input order. The caller's thread takes what is ready as a batch and classifies it, so a
slow input delays no prediction before it. The queue's length bounds how far is read ahead.
"""

import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future
from queue import Empty, Queue
from typing import Final, NamedTuple, TypeAlias

import numpy as np

from fmnist_cli.data.images import Images
from fmnist_cli.data.pictures import Picture
from fmnist_cli.devices import usable_cores
from fmnist_cli.errors import FmnistError
from fmnist_cli.inference.classifier import Probabilities
from fmnist_cli.inference.inputs import Input

BATCH_SIZE: Final = 64
"""Most networks take no less time per image in larger batches."""
LOOK_AHEAD: Final = 256
_MAX_READERS: Final = 4


class Prediction(NamedTuple):
    """The result for one input."""

    name: str
    picture: Picture | None
    probabilities: Probabilities | None
    """float32 [K]; None if the input could not be read."""
    error: str | None
    """Why it could not be read."""


class _Reading(NamedTuple):
    name: str
    outcome: Picture | FmnistError


_Entry: TypeAlias = "Future[_Reading | None]"
"""The result is None at the end of the inputs."""


def predict(
    classify: Callable[[Images], Probabilities], inputs: Iterable[Input]
) -> Generator[list[Prediction], None, None]:
    """Classify inputs; yields predictions in input order, a batch at a time.

    classify: uint8 [N, 28, 28] to float32 [N, K].
    Whatever the inputs' iterator raises is raised here, after the predictions before it.
    Close the generator to stop early.
    """
    readers = _Readers(inputs)
    try:
        for batch in _batches(readers.entries):
            yield _predict(classify, batch)
    finally:
        readers.stop()


def _batches(entries: "Queue[_Entry]") -> Iterator[list[_Reading]]:
    """Yield what is ready, in order, up to BATCH_SIZE at a time."""
    entry: _Entry | None = None
    while True:
        entry = entry or entries.get()
        batch: list[_Reading] = []
        while entry is not None and len(batch) < BATCH_SIZE:
            if batch and (not entry.done() or entry.exception() or entry.result() is None):
                break
            reading = entry.result()
            if reading is None:
                return
            batch.append(reading)
            try:
                entry = entries.get_nowait()
            except Empty:
                entry = None
        yield batch


def _predict(
    classify: Callable[[Images], Probabilities], batch: list[_Reading]
) -> list[Prediction]:
    images = [one.outcome.pixels for one in batch if isinstance(one.outcome, Picture)]
    rows = iter(classify(np.stack(images))) if images else iter(())
    return [
        Prediction(one.name, one.outcome, next(rows), None)
        if isinstance(one.outcome, Picture)
        else Prediction(one.name, None, None, str(one.outcome))
        for one in batch
    ]


class _Readers:
    """Threads that read inputs.

    They are daemons, not a ThreadPoolExecutor's: one may be waiting for a line on stdin that never
    comes, and the interpreter must be able to exit.
    """

    def __init__(self, inputs: Iterable[Input]) -> None:
        self.entries: Queue[_Entry] = Queue(LOOK_AHEAD)
        self._inputs = iter(inputs)
        self._taking = threading.Lock()
        self._is_over = False
        for _ in range(max(2, min(usable_cores(), _MAX_READERS))):
            threading.Thread(target=self._work, name="fmnist-read", daemon=True).start()

    def stop(self) -> None:
        """Let each thread end after the input that it is reading."""
        self._is_over = True
        while True:  # a thread may be waiting for room in the queue
            try:
                self.entries.get_nowait()
            except Empty:
                return

    def _work(self) -> None:
        while (taken := self._take()) is not None:
            item, entry = taken
            try:
                entry.set_result(_Reading(item.name, item.read()))
            except FmnistError as error:
                entry.set_result(_Reading(item.name, error))
            except BaseException as error:  # noqa: BLE001 - raised by `predict`
                entry.set_exception(error)

    def _take(self) -> tuple[Input, _Entry] | None:
        """Take the next input and its place in the queue; None at the end."""
        with self._taking:
            if self._is_over:
                return None
            entry: _Entry = Future()
            try:
                item = next(self._inputs, None)
            except BaseException as error:  # noqa: BLE001 - raised by `predict`
                entry.set_exception(error)
                item = None
            if item is None:
                self._is_over = True
                if not entry.done():
                    entry.set_result(None)
            self.entries.put(entry)
            return None if item is None else (item, entry)
