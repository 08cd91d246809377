"""Ctrl-C and SIGTERM: a command ends within two seconds, training with its state saved.

Python answers a signal between two of its own steps, and a long computation in C knows none. A
thread is therefore woken by each signal, and ends the process where the main thread does not in
time. Files are written whole or not at all, so this harms none.
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
"""A shell reports death by signal N as 128 + N."""
_PATIENCE_SECONDS: Final = 1.7
"""What has not come to its end by then is abandoned."""
_ONE_WISH_SECONDS: Final = 0.3
"""Two signals nearer than this are one: `timeout` sends to a process and then to its group."""
_CALLED_OFF: Final = b"\0"

_last_words: Callable[[], str] | None = None
"""What is said where the end can't be waited for."""


class _EndError(BaseException):
    """Unwinds whatever is running; nothing takes it for an error, or for Ctrl-C at a prompt."""


class Received:
    """Which signal has asked for the end."""

    number = 0
    """The first one's; 0: none has."""

    def interrupt(self, number: int, _frame: FrameType | None) -> None:
        """Handle a signal."""
        self.number = self.number or number
        raise _EndError


@contextmanager
def answered() -> Iterator[Received]:
    """Let SIGINT and SIGTERM end what is running by an exception, and bound the time until then.

    A signal that is ignored, as by `nohup` or in the background of a script, stays so. Afterwards
    signals end the process at once: what is left to do is the interpreter's own.
    """
    received = Received()
    numbers = [n for n in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(n) != signal.SIG_IGN]
    reader, writer = os.pipe()
    if hasattr(os, "set_blocking"):  # Windows had none before Python 3.12, nor asks for it
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
        os.write(writer, _CALLED_OFF)
        watch.join()
        for descriptor in (reader, writer):
            os.close(descriptor)


def _watch(reader: int, numbers: list[signal.Signals]) -> None:
    """End the process a while after a first signal, or at a second one."""
    first, asked_at = 0, 0.0
    while (byte := os.read(reader, 1)) != _CALLED_OFF:
        if byte[0] not in numbers:
            continue
        if not first:
            first, asked_at = byte[0], time.monotonic()
            timer = threading.Timer(_PATIENCE_SECONDS, _give_up, [first])
            timer.daemon = True
            timer.start()
        elif time.monotonic() - asked_at > _ONE_WISH_SECONDS:
            _give_up(first)


def _give_up(number: int) -> None:
    if _last_words is not None:
        with suppress(OSError):  # a full disk must not keep the process
            sys.stderr.write(f"\n{_last_words()}\n")
            sys.stderr.flush()
    os._exit(BY_SIGNAL + number)


class StopRequest:
    """Whether a signal has asked training for its end."""

    def __init__(self) -> None:
        self.signal_number = 0

    def __call__(self) -> bool:
        """Tell the engine, between two steps."""
        return self.signal_number != 0

    def receive(self, signal_number: int, _frame: FrameType | None) -> None:
        """Handle a signal."""
        self.signal_number = self.signal_number or signal_number


@contextmanager
def stop_request(last_words: Callable[[], str]) -> Iterator[StopRequest]:
    """Let a signal be asked for; `last_words` is said when a step can't be waited for."""
    global _last_words
    request = StopRequest()
    before = {
        number: signal.signal(number, request.receive)
        for number in (signal.SIGINT, signal.SIGTERM)
        if signal.getsignal(number) != signal.SIG_IGN
    }
    _last_words = last_words
    try:
        yield request
    finally:
        _last_words = None
        for number, handler in before.items():
            signal.signal(number, handler)
