"""Entry point of `fmnist` and of `python -m fmnist_cli`."""

import atexit
import os
import signal
import sys
from contextlib import suppress
from typing import NoReturn


def prepare_environment() -> None:
    """Set what torch's libraries read when they are loaded; what the user has set stays."""
    # Threads that wait for each other spin for a moment and then sleep. GNU OpenMP's own choice, to
    # spin for long, makes a step many times slower where another process wants the core; not to
    # spin at all makes it a fifth slower where none does.
    os.environ.setdefault("GOMP_SPINCOUNT", "10000")
    # Tensors take their memory in huge pages, where the kernel lends them on request.
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")


def open_streams() -> None:
    """Lead streams that whoever started us has closed to nowhere.

    The next files to be opened would take their places, and what is printed would go into them.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            nowhere = os.open(os.devnull, os.O_RDWR)  # takes the stream's own number: it is free
            setattr(sys, name, os.fdopen(nowhere, mode))


def leave(codes: list[int]) -> None:
    """End the process by the code in the list; without one, as Python would.

    To be called when all of Python's own is done. What is left is to take torch's libraries down,
    which takes 0.3 s and reads in 130 MB of them.
    """
    if not codes:
        return
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):  # what matters was flushed, and answered, before
            stream.flush()
    os._exit(codes[0])


def main() -> NoReturn:
    """Run the command line and exit with one of the documented codes."""
    codes: list[int] = []
    atexit.register(leave, codes)  # the first to be registered is the last to be called
    if signal.getsignal(signal.SIGINT) == signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # no traceback before there is an answer
    open_streams()
    prepare_environment()
    from fmnist_cli.cli.exits import run
    from fmnist_cli.cli.signals import BY_SIGNAL

    code = run()
    if code > BY_SIGNAL:  # nobody reads on, or waits
        os._exit(code)
    codes.append(code)
    sys.exit(code)


if __name__ == "__main__":
    main()
