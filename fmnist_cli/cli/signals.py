"""Ctrl-C and SIGTERM while training: finish the step, save, say how to go on."""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

_PATIENCE_SECONDS: Final = 1.7
"""A step that takes longer is abandoned: the state that was saved before it stands."""


class StopRequest:
    """Whether a signal has asked for the end; a second one ends the process at once."""

    def __init__(self, last_words: Callable[[], str]) -> None:
        self.signal_number = 0
        self._last_words = last_words

    def __call__(self) -> bool:
        """Tell the engine, between two steps."""
        return self.signal_number != 0

    def receive(self, signal_number: int, _frame: FrameType | None) -> None:
        """Handle a signal."""
        if self.signal_number:
            self._exit()
        self.signal_number = signal_number
        timer = threading.Timer(_PATIENCE_SECONDS, self._give_up)
        timer.daemon = True
        timer.start()

    def _give_up(self) -> None:
        sys.stderr.write(f"\n{self._last_words()}\n")
        sys.stderr.flush()
        self._exit()

    def _exit(self) -> None:
        os._exit(128 + self.signal_number)


@contextmanager
def stop_request(last_words: Callable[[], str]) -> Iterator[StopRequest]:
    """Catch SIGINT and SIGTERM; `last_words` is said when a step can't be waited for."""
    request = StopRequest(last_words)
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, request.receive) for number in numbers]
    try:
        yield request
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
