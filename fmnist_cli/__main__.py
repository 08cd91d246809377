"""Entry point of `fmnist` and of `python -m fmnist_cli`."""

import atexit
import os
import signal
import sys
from contextlib import suppress
from typing import NoReturn


def prepare_environment() -> None:
    """Set environment variables that libraries read on loading, unless already set."""
    # No data leaves this machine: official builds of ONNX Runtime report their use
    # to Microsoft and keep an identifier in the temporary directory.
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    # Waiting threads spin briefly, then sleep. GNU OpenMP's default, a long spin, makes a step many
    # times slower if another process needs the core; no spin at all makes it a fifth slower if
    # none does.
    os.environ.setdefault("GOMP_SPINCOUNT", "10000")
    # Allocate tensors in huge pages, if the kernel provides them on request.
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")


def open_streams() -> None:
    """Connect standard streams that the caller has closed to the null device.

    Otherwise the next opened files would get their descriptors, and output would end up in them.
    Reading stdin and writing stdout still fail, as they would on a closed descriptor.
    """
    streams = (
        ("stdin", "r", os.O_WRONLY),
        ("stdout", "w", os.O_RDONLY),
        ("stderr", "w", os.O_RDWR),
    )
    for name, mode, access in streams:
        if getattr(sys, name) is None:
            nowhere = os.open(os.devnull, access)  # gets the stream's own number, which is free
            setattr(sys, name, os.fdopen(nowhere, mode))


def leave(codes: list[int]) -> None:
    """End the process with the code in the list; without one, let Python end it.

    Registered to run after all other exit handlers. It skips unloading torch's libraries, which
    would take 0.3 s and page in 130 MB.
    """
    if not codes:
        return
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):  # output was flushed, and errors reported, before
            stream.flush()
    os._exit(codes[0])


def main() -> NoReturn:
    """Run the command line and exit with one of the documented codes."""
    codes: list[int] = []
    atexit.register(leave, codes)  # registered first, called last
    # No traceback before the handlers are installed.
    if signal.getsignal(signal.SIGINT) == signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    open_streams()
    prepare_environment()
    from fmnist_cli.cli.exits import run
    from fmnist_cli.cli.signals import BY_SIGNAL

    code = run()
    if code > BY_SIGNAL:  # stopped by a signal: end at once
        os._exit(code)
    codes.append(code)
    sys.exit(code)


if __name__ == "__main__":
    main()
