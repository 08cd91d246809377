"""A stream of inputs to a stream of predictions: in order, at constant memory, without delay.

A few threads share the work, each in turn: one of them takes inputs as they come and reads them
until there is a batch, and then classifies that batch itself, while the next one reads. So no core
waits for a hand-over, and no more is read ahead than the next batch. Where a reading takes long, a
small pool does it. A batch is what is ready: the first input's answer never waits longer than
`_PATIENCE_SECONDS` for others to share a batch with, because where one thread waits for an input,
another takes what is there.
"""

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from time import monotonic, perf_counter
from typing import Final, NamedTuple, TypeAlias

import numpy as np

from fmnist_cli.data.images import Images
from fmnist_cli.data.pictures import Picture, PlainFile, finish_decoding
from fmnist_cli.errors import FmnistError
from fmnist_cli.inference.classifier import Probabilities
from fmnist_cli.inference.inputs import Input

_FIRST: Final = 16
"""Images of the first batch: how long the network takes for one is not known yet."""
_LEAST: Final = 4
_ENOUGH: Final = 64
"""As many are no slower an image than a full batch: no reason for the network to wait for more."""
_MOST: Final = 256
"""Images of a batch, and inputs that wait for one."""
_BATCH_SECONDS: Final = 0.01
"""What a batch may take: of a slow network's images each thread gets its share, and soon."""
_PATIENCE_SECONDS: Final = 0.1
_READERS: Final = 4
_WORTH_A_THREAD: Final = 1e-3
"""Mean seconds of a reading from which on the pool does it: large pictures, slow disks. A small
picture is read faster than it is handed over."""
_MEMORY: Final = 1 / 16
"""Share of the latest reading in that mean."""


class Prediction(NamedTuple):
    """The answer to one input."""

    name: str
    picture: Picture | None
    probabilities: Probabilities | None
    """float32 [10]; None where the input could not be read."""
    error: str | None
    """Why it could not be read."""


class _Reading(NamedTuple):
    """An input that was read, or the reason why it could not be."""

    name: str
    outcome: Picture | PlainFile | FmnistError


_Entry: TypeAlias = _Reading | Future[_Reading]
_Classify: TypeAlias = Callable[[Images], Probabilities]


def predict(
    classify: _Classify, inputs: Iterable[Input], *, lanes: int = 1
) -> Generator[list[Prediction], None, None]:
    """Classify inputs; yields predictions in input order, a batch at a time.

    classify: uint8 [N, 28, 28] to float32 [N, 10]; called by as many as `lanes` threads at once.
    Whatever the iterator of inputs raises is raised here, after the answers to what came before.
    Close the iterator to stop early.
    """
    work = _Work(classify, lanes)
    with _reader(inputs) as reader, work.done_by(reader, max(2, lanes)):
        while (answers := work.next_answers()) is not None:
            yield answers
    if work.fault is not None:
        raise work.fault


class _Work:
    """What has been read, what is being classified, and who may do which: one lock for all."""

    def __init__(self, classify: _Classify, lanes: int) -> None:
        self.fault: BaseException | None = None
        """What ended the stream of inputs, if not its end."""
        self._classify = classify
        self._lanes = self._free_lanes = lanes
        self._most_under_way = 2 * lanes
        self._entries: deque[_Entry] = deque()
        self._under_way: deque[Future[list[Prediction]]] = deque()
        self._first_came_at = 0.0
        self._batch_size = self._enough = _FIRST
        self._is_being_read = self._has_ended = self._is_closed = False
        self._changed = threading.Condition()

    @contextmanager
    def done_by(self, reader: "_Reader", threads: int) -> Iterator[None]:
        """Let so many threads do it while the context lasts."""
        for _ in range(threads):
            # A daemon, because it may be waiting for a line on stdin that never comes.
            threading.Thread(
                target=self._share, args=(reader,), name="fmnist-predict", daemon=True
            ).start()
        try:
            yield
        finally:
            with self._changed:
                self._is_closed = True
                self._changed.notify_all()
                # The interpreter must not end under a thread that is inside a network.
                self._changed.wait_for(lambda: self._free_lanes == self._lanes)

    def next_answers(self) -> list[Prediction] | None:
        """Wait for the next batch's answers; None at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._under_way or self._is_over())
            if not self._under_way:
                return None
            coming = self._under_way.popleft()
            self._changed.notify_all()
        return coming.result()

    def _share(self, reader: "_Reader") -> None:
        """Read, classify or wait, whichever is to be done, until all is."""
        while True:
            batch: list[_Entry] = []
            with self._changed:
                while not (self._is_over() or self._may_take() or self._may_read()):
                    self._changed.wait(self._patience())
                if self._is_over():
                    return
                if self._may_take():
                    batch, answers = self._take(), Future[list[Prediction]]()
                    self._under_way.append(answers)
                    self._free_lanes -= 1
                else:
                    self._is_being_read = True
                self._changed.notify_all()
            if batch:
                self._answer(batch, answers)
            else:
                self._read(reader)

    def _is_over(self) -> bool:
        return self._is_closed or (self._has_ended and not self._entries)

    def _may_read(self) -> bool:
        return not self._is_being_read and not self._has_ended and len(self._entries) < _MOST

    def _may_take(self) -> bool:
        return self._has_room() and (
            len(self._entries) >= self._enough
            or self._has_ended
            or monotonic() >= self._first_came_at + _PATIENCE_SECONDS
        )

    def _has_room(self) -> bool:
        """Whether there is something to classify and somewhere to do it."""
        return (
            self._free_lanes > 0
            and len(self._under_way) < self._most_under_way
            and len(self._entries) > 0
            and _is_ready(self._entries[0])
        )

    def _patience(self) -> float | None:
        """Seconds until an incomplete batch is taken; None where something else has to come."""
        if not self._has_room():
            return None
        return max(0.0, self._first_came_at + _PATIENCE_SECONDS - monotonic())

    def _take(self) -> list[_Entry]:
        batch: list[_Entry] = []
        while len(batch) < self._batch_size and self._entries and _is_ready(self._entries[0]):
            batch.append(self._entries.popleft())
        return batch

    def _read(self, reader: "_Reader") -> None:
        """Read until there is a batch, and somewhere to classify it."""
        fault: BaseException | None = None
        try:
            for entry in reader:
                self._entries.append(entry)
                if isinstance(entry, Future):
                    entry.add_done_callback(self._wake)
                elif 1 < len(self._entries) < self._enough:
                    continue  # nothing that anybody waits for: a lock would take long
                with self._changed:
                    if len(self._entries) == 1:
                        self._first_came_at = monotonic()
                        self._changed.notify_all()  # somebody's patience begins
                    if self._is_closed or not self._may_read_on():
                        self._is_being_read = False
                        return
        except BaseException as error:  # noqa: BLE001 - raised again where the answers are taken
            fault = error
        with self._changed:
            self.fault, self._has_ended, self._is_being_read = fault, True, False
            self._changed.notify_all()

    def _may_read_on(self) -> bool:
        count = len(self._entries)
        return count < self._enough or (count < _MOST and not self._may_take())

    def _wake(self, _done: object) -> None:
        with self._changed:
            self._changed.notify_all()

    def _answer(self, batch: list[_Entry], answers: "Future[list[Prediction]]") -> None:
        started_at = perf_counter()
        try:
            answers.set_result(_predict(self._classify, batch))
        except BaseException as error:  # noqa: BLE001 - raised again where the answers are taken
            answers.set_exception(error)
        share = _BATCH_SECONDS / max(perf_counter() - started_at, _BATCH_SECONDS / _MOST)
        with self._changed:
            self._batch_size = min(_MOST, max(_LEAST, int(len(batch) * share)))
            self._enough = min(self._batch_size, _ENOUGH)
            self._free_lanes += 1
            self._changed.notify_all()


def _is_ready(entry: _Entry) -> bool:
    return not isinstance(entry, Future) or entry.done()


def _predict(classify: _Classify, batch: list[_Entry]) -> list[Prediction]:
    readings = [entry.result() if isinstance(entry, Future) else entry for entry in batch]
    plain = [one.outcome for one in readings if isinstance(one.outcome, PlainFile)]
    decoded = iter(finish_decoding(plain))
    outcomes = [
        next(decoded) if isinstance(one.outcome, PlainFile) else one.outcome for one in readings
    ]
    images = [outcome.pixels for outcome in outcomes if isinstance(outcome, Picture)]
    rows = iter(classify(np.stack(images))) if images else iter(())
    return [
        Prediction(one.name, outcome, next(rows), None)
        if isinstance(outcome, Picture)
        else Prediction(one.name, None, None, str(outcome))
        for one, outcome in zip(readings, outcomes, strict=True)
    ]


class _Reader:
    """An iterator of readings: it reads inputs one by one, or has a pool do it where that pays."""

    def __init__(self, inputs: Iterable[Input], pool: ThreadPoolExecutor) -> None:
        self._inputs = iter(inputs)
        self._pool = pool
        self._mean_seconds: float | None = None

    def __iter__(self) -> Iterator[_Entry]:
        return self

    def __next__(self) -> _Entry:
        item = next(self._inputs)
        if (self._mean_seconds or 0.0) > _WORTH_A_THREAD:
            return self._pool.submit(self._read, item)
        return self._read(item)

    def _read(self, item: Input) -> _Reading:
        started_at = perf_counter()
        try:
            reading = _Reading(item.name, item.read())
        except FmnistError as error:
            reading = _Reading(item.name, error)
        if self._mean_seconds is None:  # the first one imports what decodes pictures
            self._mean_seconds = 0.0
        else:
            self._mean_seconds += _MEMORY * (perf_counter() - started_at - self._mean_seconds)
        return reading


@contextmanager
def _reader(inputs: Iterable[Input]) -> Iterator[_Reader]:
    pool = ThreadPoolExecutor(_READERS, thread_name_prefix="fmnist-read")
    try:
        yield _Reader(inputs, pool)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
