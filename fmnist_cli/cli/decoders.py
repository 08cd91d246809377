"""Keep messages of libraries, most of them about odd pictures, off the screen.

For a damaged picture the program prints one line of its own; -v shows theirs, too.
"""

import io
import logging
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from fmnist_cli.cli import console

_STDERR: Final = 2


def hush_libraries() -> None:
    """Suppress warnings and log lines of Pillow and matplotlib for the rest of the process.

    matplotlib reports where it keeps its files if it can't write to the user's directory.
    """
    if not console.is_verbose():
        warnings.filterwarnings("ignore", module=r"PIL\.")
        for name in ("PIL", "matplotlib"):
            logging.getLogger(name).addHandler(logging.NullHandler())


@contextmanager
def hushed_decoders() -> Iterator[None]:
    """Suppress what C libraries such as libtiff write to stderr, but not what Python writes.

    They write to the descriptor, which is redirected to nowhere; `sys.stderr` gets a copy of it.
    """
    before = sys.stderr
    if console.is_verbose() or not isinstance(before, io.TextIOWrapper):
        yield
        return
    before.flush()
    kept = os.dup(_STDERR)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, _STDERR)
    os.close(nowhere)
    # fdopen handles Windows consoles, which take no bytes.
    words = os.fdopen(kept, "w", buffering=1, encoding=before.encoding, errors=before.errors)
    console.set_stderr(words)
    try:
        yield
    finally:
        words.flush()
        console.set_stderr(before)
        os.dup2(kept, _STDERR)
        words.close()
