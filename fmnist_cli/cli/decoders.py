"""What libraries say on their own, above all of odd pictures: kept off the screen.

A damaged picture has one line of ours, which says what is wrong; -v shows theirs too.
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
    """Leave out Pillow's warnings and log lines, and matplotlib's, for the rest of the process.

    matplotlib tells where it keeps its files when it can't write to the user's folder.
    """
    if not console.is_verbose():
        warnings.filterwarnings("ignore", module=r"PIL\.")
        for name in ("PIL", "matplotlib"):
            logging.getLogger(name).addHandler(logging.NullHandler())


@contextmanager
def hushed_decoders() -> Iterator[None]:
    """Leave out what C libraries write to stderr, as libtiff does; Python's own words go on.

    They write to the descriptor, so that leads nowhere meanwhile, and `sys.stderr` to a copy of it.
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
    # fdopen knows Windows' consoles, which take no bytes.
    words = os.fdopen(kept, "w", buffering=1, encoding=before.encoding, errors=before.errors)
    console.set_stderr(words)
    try:
        yield
    finally:
        words.flush()
        console.set_stderr(before)
        os.dup2(kept, _STDERR)
        words.close()
