"""Entry point of `fmnist` and of `python -m fmnist_cli`."""

import os
import signal
import sys
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


def main() -> NoReturn:
    """Run the command line and exit with one of the documented codes."""
    if signal.getsignal(signal.SIGINT) == signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # no traceback before there is an answer
    open_streams()
    prepare_environment()
    from fmnist_cli.cli.exits import BY_SIGNAL, run

    code = run()
    if code > BY_SIGNAL:
        # Nobody reads on, or waits: an orderly end would take torch down first.
        os._exit(code)
    sys.exit(code)


if __name__ == "__main__":
    main()
