"""The stream of predictions: in order, complete, bounded, and not held back."""

import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from fmnist_cli.data.images import Images
from fmnist_cli.data.pictures import Picture
from fmnist_cli.errors import CheckpointError, DataError
from fmnist_cli.inference import predictor
from fmnist_cli.inference.classifier import Probabilities
from fmnist_cli.inference.inputs import Input, open_inputs
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


def test_two_thousand_inputs_of_which_some_are_broken() -> None:
    found = flat(broken(n) if n % 100 == 7 else sound(n) for n in range(2_000))
    assert [int(one.name) for one in found] == list(range(2_000))
    assert [int(one.name) for one in found if one.error] == list(range(7, 2_000, 100))


def test_slow_readings_go_on_side_by_side_and_keep_the_order() -> None:
    both = threading.Barrier(2, timeout=60)

    def slow(number: int) -> Picture:
        time.sleep(0.02 if number < 5 else 0.002 * (number % 2))
        if number >= 38:  # each waits for the other, so both must be under way at once
            both.wait()
        return picture(number)

    found = flat([Input(str(number), partial(slow, number)) for number in range(40)])
    assert [one.name for one in found] == [str(number) for number in range(40)]


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


def test_an_answer_does_not_wait_for_inputs_that_have_not_come() -> None:
    more = threading.Event()

    def producer() -> Iterator[Input]:
        yield sound(0)
        assert more.wait(60)
        yield sound(1)

    batches = predict(classify, producer())
    assert [one.name for one in next(batches)] == ["0"]
    more.set()
    assert [one.name for one in next(batches)] == ["1"]


def test_a_batch_is_classified_while_answers_are_written() -> None:
    second = threading.Event()

    def observed(images: Images) -> Probabilities:
        if images[0, 0, 0] == 1:
            second.set()
        return classify(images)

    def producer() -> Iterator[Input]:
        yield sound(0)
        assert first_is_out.wait(60)
        yield sound(1)

    first_is_out = threading.Event()
    batches = predict(observed, producer())
    next(batches)
    first_is_out.set()
    assert second.wait(60)  # though nobody has asked for it yet
    assert [one.name for batch in batches for one in batch] == ["1"]


@pytest.mark.parametrize("lanes", [2, 5])
def test_batches_are_classified_at_once_and_keep_the_order(lanes: int) -> None:
    all_of_them = threading.Barrier(lanes, timeout=60)
    calls = iter(range(1_000))

    def uneven(images: Images) -> Probabilities:
        number = next(calls)
        if number < lanes:  # each waits for the others, so all must be under way at once
            all_of_them.wait()
        time.sleep(0.001 * (number % 3))
        return classify(images)

    inputs = [broken(n) if n % 100 == 7 else sound(n) for n in range(2_000)]
    found = [one for batch in predict(uneven, inputs, lanes=lanes) for one in batch]
    assert [one.name for one in found] == [str(number) for number in range(2_000)]
    for number, one in enumerate(found):
        assert (one.error is not None) == (number % 100 == 7)
        assert one.probabilities is None or one.probabilities.argmax() == number % 10


def test_a_slow_network_gets_small_batches() -> None:
    def slow(images: Images) -> Probabilities:
        time.sleep(0.005 * len(images))
        return classify(images)

    sizes = [len(batch) for batch in predict(slow, map(sound, range(100)), lanes=2)]
    assert sum(sizes) == 100
    assert max(sizes[2:]) == predictor._LEAST


def test_plain_files_are_decoded_in_their_places(tmp_path: Path) -> None:
    kinds = {0: np.zeros((28, 28), np.uint8), 1: np.full((28, 28), 255, np.uint8)}
    kinds[0][3:20, 3:20] = 5
    for number in range(30):
        Image.fromarray(kinds[number % 3 % 2]).save(tmp_path / f"{number:02}.png")
    (tmp_path / "04.png").write_bytes(b"")
    inputs = open_inputs([str(tmp_path)], photo="auto", stdin=-1)
    for number, one in enumerate(flat(inputs)):
        assert one.name == str(tmp_path / f"{number:02}.png")
        if number == 4:
            assert one.error is not None
            assert "is no PNG" in one.error
        elif number % 3 == 1:  # a photo of nothing but its background
            assert one.error is not None
            assert one.error.startswith(f"'{one.name}' can't be used: nothing stands out")
        else:
            assert one.picture is not None
            np.testing.assert_array_equal(one.picture.pixels, kinds[0])
            assert not one.picture.prepared


def test_closing_does_not_wait_for_an_input_that_never_comes() -> None:
    never = threading.Event()

    def producer() -> Iterator[Input]:
        yield sound(0)
        never.wait(60)

    before = set(threading.enumerate())
    batches = predict(classify, producer())
    next(batches)
    batches.close()
    started = set(threading.enumerate()) - before
    deadline = time.monotonic() + 30
    while sum(thread.is_alive() for thread in started) > 1:  # the one that waits for the input
        assert time.monotonic() < deadline
        time.sleep(0.001)
    never.set()


def test_closing_waits_for_the_network() -> None:
    is_inside, is_done = threading.Event(), threading.Event()

    def slow(images: Images) -> Probabilities:
        if is_first_out.is_set():
            is_inside.set()
            time.sleep(0.05)
            is_done.set()
        return classify(images)

    is_first_out = threading.Event()

    def producer() -> Iterator[Input]:
        yield sound(0)
        assert is_first_out.wait(60)
        yield sound(1)

    batches = predict(slow, producer())
    next(batches)
    is_first_out.set()
    assert is_inside.wait(60)
    batches.close()
    assert is_done.is_set()


def test_a_fault_of_the_network_is_raised_where_answers_are_taken() -> None:
    def failing(_images: Images) -> Probabilities:
        raise CheckpointError("can't be run")

    with pytest.raises(CheckpointError, match="can't be run"):
        list(predict(failing, [sound(0)]))


def test_no_more_than_the_look_ahead_is_taken() -> None:
    taken = 0

    def endless() -> Iterator[Input]:
        nonlocal taken
        while True:
            taken += 1
            yield sound(taken)

    batches = predict(classify, endless())
    first = next(batches)
    batches.close()
    assert len(first) <= predictor._MOST
    # Two batches may be under way and one may be waiting; one more input is in a thread's hand.
    assert taken <= len(first) + 3 * predictor._MOST + 1


def test_closing_stops_the_threads() -> None:
    batches = predict(classify, (sound(n) for n in range(100_000)))
    next(batches)
    batches.close()
    while started := [one for one in threading.enumerate() if one.name.startswith("fmnist-")]:
        for thread in started:
            thread.join()


def test_a_fault_of_the_stream_comes_after_the_answers_before_it() -> None:
    def failing() -> Iterator[Input]:
        yield sound(0)
        raise DataError("stdin holds no paths")

    batches = predict(classify, failing())
    assert [one.name for one in next(batches)] == ["0"]
    with pytest.raises(DataError, match="no paths"):
        next(batches)


def test_a_bug_in_reading_is_not_hidden() -> None:
    def bug() -> Picture:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        flat([Input("0", bug)])
