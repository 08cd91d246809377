"""A stream of inputs to a stream of predictions: in order, without delay, at constant memory.

Threads read the inputs, each taking the next one in turn, and the caller's thread classifies what
is ready as a batch, so a slow input delays no prediction before it. There is one such thread until
inputs turn out to be slow: photos are decoded and searched by native code, which runs on all cores,
while threads that read small files only take the interpreter's lock from one another.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

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
"""Inputs that are read before they are classified."""
_MAX_READERS: Final = 4
_SLOW_SECONDS: Final = 0.002
"""Inputs that take longer to read get another thread: photos do, 28×28 PNG files do not."""
_GATHER_SECONDS: Final = 0.004
"""How long a batch waits for inputs that are being read: single images take a network longer."""


class Prediction(NamedTuple):
    """The result for one input."""

    name: str
    picture: Picture | None
    probabilities: Probabilities | None
    """float32 [K]; None if the input could not be read."""
    error: str | None
    """Why it could not be read."""


@dataclass(slots=True)
class _Reading:
    name: str
    outcome: Picture | BaseException | None = None
    """None until it has been read. Any error but an FmnistError is raised by `predict`."""


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
        for batch in readers.batches():
            yield _predict(classify, batch)
    finally:
        readers.stop()


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
        self._inputs = iter(inputs)
        self._taking = threading.Lock()
        self._changed = threading.Condition()
        self._readings: deque[_Reading] = deque()
        """In input order, from the one that is to be classified next."""
        self._is_over = False
        self._fault: BaseException | None = None
        """Raised by the inputs' iterator."""
        self._count = 0
        self._slow_in_a_row = 0
        self._start_another()

    def batches(self) -> Iterator[list[_Reading]]:
        """Yield what has been read, in order, up to BATCH_SIZE at a time."""
        readings = self._readings
        while True:
            with self._changed:
                self._changed.wait_for(
                    lambda: readings[0].outcome is not None if readings else self._is_over
                )
                if not readings and self._fault is not None:
                    raise self._fault
                if not readings:
                    return
            if readings[-1].outcome is None and len(readings) < BATCH_SIZE:
                time.sleep(_GATHER_SECONDS)
            batch: list[_Reading] = []
            with self._changed:
                while readings and len(batch) < BATCH_SIZE:
                    outcome = readings[0].outcome
                    if outcome is None:
                        break
                    if not isinstance(outcome, Picture | FmnistError):
                        if batch:
                            break
                        raise outcome
                    batch.append(readings.popleft())
                self._changed.notify_all()
            yield batch

    def stop(self) -> None:
        """Let each thread end after the input that it is reading."""
        with self._changed:
            self._is_over = True
            self._changed.notify_all()

    def _start_another(self) -> None:
        self._count += 1
        threading.Thread(target=self._work, name="fmnist-read", daemon=True).start()

    def _work(self) -> None:
        while (taken := self._take()) is not None:
            item, reading = taken
            started_at = time.perf_counter()
            outcome: Picture | BaseException
            try:
                outcome = item.read()
            except BaseException as error:  # noqa: BLE001 - raised by `predict`
                outcome = error
            is_slow = time.perf_counter() - started_at > _SLOW_SECONDS
            with self._changed:
                reading.outcome = outcome
                self._slow_in_a_row = self._slow_in_a_row + 1 if is_slow else 0
                # The first input may be slow because the decoder is imported.
                if self._slow_in_a_row > self._count < max(2, min(usable_cores(), _MAX_READERS)):
                    self._start_another()
                self._changed.notify_all()

    def _take(self) -> tuple[Input, _Reading] | None:
        """Take the next input and its place in the order; None at the end."""
        with self._taking:
            with self._changed:
                self._changed.wait_for(lambda: self._is_over or len(self._readings) < LOOK_AHEAD)
                if self._is_over:
                    return None
            try:
                item = next(self._inputs, None)
            except BaseException as error:  # noqa: BLE001 - raised by `predict`
                item, self._fault = None, error
            with self._changed:
                if item is None:
                    self._is_over = True
                    self._changed.notify_all()
                    return None
                self._readings.append(_Reading(item.name))
                return item, self._readings[-1]
