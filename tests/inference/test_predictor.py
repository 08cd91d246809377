"""The stream of predictions: in order, complete, bounded, and not held back."""

import threading
import time
from collections.abc import Iterator
from functools import partial
from typing import NoReturn

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fmnist_cli.data.images import Images
from fmnist_cli.data.pictures import Picture
from fmnist_cli.errors import DataError
from fmnist_cli.inference import predictor
from fmnist_cli.inference.classifier import Probabilities
from fmnist_cli.inference.inputs import Input
from fmnist_cli.inference.predictor import Prediction, predict


def classify(images: Images) -> Probabilities:
    """All on the class that the first pixel names."""
    return np.eye(10, dtype=np.float32)[images[:, 0, 0]]


def picture(number: int) -> Picture:
    return Picture(np.full((28, 28), number % 10, np.uint8), prepared=False)


def sound(number: int) -> Input:
    return Input(str(number), partial(picture, number))


def broken(number: int) -> Input:
    def fail() -> Picture:
        raise DataError(f"{number} is broken")

    return Input(str(number), fail)


def flat(inputs: Iterator[Input] | list[Input]) -> list[Prediction]:
    return [prediction for batch in predict(classify, inputs) for prediction in batch]


@given(is_sound=st.lists(st.booleans(), max_size=40))
def test_each_input_has_its_answer_in_order(is_sound: list[bool]) -> None:
    found = flat([sound(n) if good else broken(n) for n, good in enumerate(is_sound)])
    assert [one.name for one in found] == [str(n) for n in range(len(is_sound))]
    for number, (one, good) in enumerate(zip(found, is_sound, strict=True)):
        assert one.error == (None if good else f"{number} is broken")
        assert (one.probabilities is not None) == good
        if one.probabilities is not None:
            assert one.probabilities.argmax() == number % 10


def test_slow_readings_go_on_side_by_side_and_keep_the_order() -> None:
    both = threading.Barrier(2, timeout=60)

    def slow(number: int) -> Picture:
        time.sleep(0.02 if number < 5 else 0.002 * (number % 2))
        if number >= 38:  # each waits for the other, so both must be under way at once
            both.wait()
        return picture(number)

    found = flat([Input(str(number), partial(slow, number)) for number in range(40)])
    assert [one.name for one in found] == [str(number) for number in range(40)]


def test_quick_readings_take_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(predictor, "_SLOW_SECONDS", 60.0)
    threads = set()

    def quick(number: int) -> Picture:
        threads.add(threading.get_ident())
        return picture(number)

    assert len(flat([Input(str(number), partial(quick, number)) for number in range(500)])) == 500
    assert len(threads) == 1


def test_a_slow_reading_holds_back_no_answer_before_it() -> None:
    go_on = threading.Event()

    def slow(number: int) -> Picture:
        if number == 5:
            assert go_on.wait(60)
        time.sleep(0.02)
        return picture(number)

    batches = predict(classify, [Input(str(number), partial(slow, number)) for number in range(9)])
    names: list[str] = []
    while len(names) < 5:
        names += [one.name for one in next(batches)]
    assert names == ["0", "1", "2", "3", "4"]
    go_on.set()
    names += [one.name for batch in batches for one in batch]
    assert names == [str(number) for number in range(9)]


def test_neither_an_answer_nor_closing_waits_for_inputs_that_have_not_come() -> None:
    more, never = threading.Event(), threading.Event()

    def producer() -> Iterator[Input]:
        yield sound(0)
        assert more.wait(60)
        yield sound(1)
        never.wait(60)

    batches = predict(classify, producer())
    assert [one.name for one in next(batches)] == ["0"]
    more.set()
    assert [one.name for one in next(batches)] == ["1"]
    started_at = time.monotonic()
    batches.close()
    assert time.monotonic() - started_at < 10
    never.set()


def test_no_more_than_the_look_ahead_is_taken_and_closing_stops_the_threads() -> None:
    taken = 0

    def endless() -> Iterator[Input]:
        nonlocal taken
        while True:
            taken += 1
            yield sound(taken)

    batches = predict(classify, endless())
    first = next(batches)
    batches.close()
    assert len(first) <= predictor.BATCH_SIZE
    while started := [one for one in threading.enumerate() if one.name == "fmnist-read"]:
        for thread in started:
            thread.join()
    # One more input is in a thread's hands, which waits for room in the queue.
    assert taken <= len(first) + predictor.LOOK_AHEAD + 2


def test_a_fault_of_the_stream_comes_after_the_answers_before_it() -> None:
    def failing() -> Iterator[Input]:
        yield sound(0)
        raise DataError("stdin holds no paths")

    batches = predict(classify, failing())
    assert [one.name for one in next(batches)] == ["0"]
    with pytest.raises(DataError, match="no paths"):
        next(batches)


def test_errors_of_the_network_and_bugs_in_reading_are_raised() -> None:
    def bug(_: object = None) -> NoReturn:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        flat([Input("0", bug)])
    with pytest.raises(ZeroDivisionError):
        list(predict(bug, [sound(0)]))
