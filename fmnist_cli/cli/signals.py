"""Ctrl-C and SIGTERM: a command ends within two seconds, training with its state saved.

Python runs signal handlers between bytecode instructions, so a long computation in C delays them.
Each signal therefore also wakes a thread, which ends the process if the main thread doesn't in
time. Output files are atomic, so none is damaged.
"""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Final

BY_SIGNAL: Final = 128
"""Shells report death by signal N as exit code 128 + N."""
_GRACE_SECONDS: Final = 1.7
"""Default time until the process is ended regardless of what is running."""
_DEBOUNCE_SECONDS: Final = 0.3
"""Closer signals count as one: `timeout` signals a process, then its group."""
_CANCEL: Final = b"\0"

_grace_seconds = _GRACE_SECONDS
_last_words: Callable[[], str] | None = None
"""Makes the message to print if the process has to be ended."""


class _EndError(BaseException):
    """Unwinds the stack; not an Exception, so that no handler catches it by accident."""


class Received:
    """The signal that asked the command to end."""

    number = 0
    """Number of the first signal; 0 if there was none."""

    def __call__(self) -> bool:
        """Whether there was one; training calls it between two steps."""
        return self.number != 0

    def record(self, number: int, _frame: FrameType | None) -> None:
        """Handle a signal: take note of it."""
        self.number = self.number or number

    def interrupt(self, number: int, frame: FrameType | None) -> None:
        """Handle a signal: end whatever is running."""
        self.record(number, frame)
        raise _EndError


def _caught_signals() -> list[signal.Signals]:
    """Those that end a command, unless ignored (`nohup`, background jobs of a script)."""
    return [n for n in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(n) != signal.SIG_IGN]


@contextmanager
def answered() -> Iterator[Received]:
    """Let SIGINT and SIGTERM raise an exception, and bound the time until the process ends.

    On leaving, the default handlers are restored, so that a signal ends the interpreter's own
    cleanup at once.
    """
    received = Received()
    numbers = _caught_signals()
    reader, writer = os.pipe()
    if hasattr(os, "set_blocking"):  # missing on Windows before Python 3.12, where it is not needed
        os.set_blocking(writer, False)
    watch = threading.Thread(target=_watch, args=(reader, numbers), daemon=True)
    watch.start()
    for number in numbers:
        signal.signal(number, received.interrupt)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    try:
        yield received
    finally:
        for number in numbers:
            signal.signal(number, signal.SIG_DFL)
        signal.set_wakeup_fd(-1)
        os.write(writer, _CANCEL)
        watch.join()
        for descriptor in (reader, writer):
            os.close(descriptor)


def _watch(reader: int, numbers: list[signal.Signals]) -> None:
    """End the process some time after the first signal, or at a second one."""
    first, asked_at = 0, 0.0
    while (byte := os.read(reader, 1)) != _CANCEL:
        if byte[0] not in numbers:
            continue
        if not first:
            first, asked_at = byte[0], time.monotonic()
            timer = threading.Timer(_grace_seconds, _give_up, [first])
            timer.daemon = True
            timer.start()
        elif time.monotonic() - asked_at > _DEBOUNCE_SECONDS:
            _give_up(first)


def _give_up(number: int) -> None:
    if _last_words is not None:
        with suppress(OSError):  # even if the disk is full
            sys.stderr.write(f"\n{_last_words()}\n")
            sys.stderr.flush()
    os._exit(BY_SIGNAL + number)


@contextmanager
def grace(seconds: float) -> Iterator[None]:
    """Allow more time between the first signal and the end of the process."""
    global _grace_seconds
    _grace_seconds = seconds
    try:
        yield
    finally:
        _grace_seconds = _GRACE_SECONDS


@contextmanager
def stop_request(last_words: Callable[[], str]) -> Iterator[Received]:
    """Record signals instead of raising; `last_words` is printed if a step takes too long."""
    global _last_words
    request = Received()
    before = {number: signal.signal(number, request.record) for number in _caught_signals()}
    _last_words = last_words
    try:
        yield request
    finally:
        _last_words = None
        for number, handler in before.items():
            signal.signal(number, handler)
