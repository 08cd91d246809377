"""Output: results on stdout, everything else on stderr.

Rich draws on terminals; elsewhere output consists of plain lines without control characters. Text
is always printed literally: no markup, no emoji codes, no highlighting.
"""

import csv
import json
import logging
import os
import re
import sys
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, redirect_stdout
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TextIO

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

PIPE_WIDTH: Final = 1_000
"""Width if the output is no terminal, so that lines and tables are never wrapped in a pipe."""

_verbosity = 0
_results: TextIO | None = None


class PipeClosedError(Exception):
    """The reader of stdout has closed the pipe."""


def set_verbosity(*, quiet: bool, verbose: bool) -> None:
    """Choose what goes to stderr: `quiet` leaves warnings and errors, `verbose` adds details."""
    global _verbosity
    _verbosity = -1 if quiet else int(verbose)


def is_quiet() -> bool:
    """Whether progress and notes are disabled (-q)."""
    return _verbosity < 0


def results() -> TextIO:
    """The stream of results: stdout, also while `only_results` has it replaced."""
    return _results or sys.stdout


@contextmanager
def only_results() -> Iterator[None]:
    """Keep stdout to results: what else is printed goes to stderr, or with -q nowhere.

    That is what a user's network prints, and torch.hub's announcement of its downloads.
    """
    global _results
    _results = sys.stdout
    try:
        with (
            Path(os.devnull).open("w") as nowhere,
            redirect_stdout(nowhere if is_quiet() else sys.stderr),
        ):
            yield
    finally:
        _results = None


def is_drawn(stream: TextIO) -> bool:
    """Whether a stream gets rich output: it is a terminal, or FORCE_COLOR is set."""
    return stream.isatty() or bool(os.environ.get("FORCE_COLOR"))


def is_live() -> bool:
    """Whether to draw progress: stderr is a terminal that can be redrawn, and -q isn't given."""
    return not is_quiet() and sys.stderr.isatty() and not err().is_dumb_terminal


def _console(stream: TextIO) -> "Console":
    from rich.console import Console

    return Console(
        file=stream,
        markup=False,
        emoji=False,
        highlight=False,
        width=None if stream.isatty() else PIPE_WIDTH,
    )


@cache
def out() -> "Console":
    """The console of results."""
    return _console(results())


@cache
def err() -> "Console":
    """The console of progress, notes, warnings and errors."""
    return _console(sys.stderr)


def literal(text: str) -> str:
    """Escape control characters in untrusted text."""
    return "".join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in text)


def result(text: object) -> None:
    """Print one plain line on stdout."""
    results().write(f"{text}\n")


def show(table: "RenderableType") -> None:
    """Print a table on stdout, in a pipe without trailing spaces."""
    if out().is_terminal:
        out().print(table)
        return
    with out().capture() as captured:
        out().print(table)
    for line in captured.get().removesuffix("\n").split("\n"):
        result(line.rstrip(" "))


def print_json(document: Any) -> None:
    """Print a JSON document on stdout; NaN and infinity, which JSON lacks, become null."""
    results().write(json.dumps(_finite(document), indent=2, ensure_ascii=False) + "\n")


def print_csv(rows: Iterable[Iterable[Any]]) -> None:
    """Print rows as CSV on stdout."""
    csv.writer(results(), lineterminator="\n").writerows(rows)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if isinstance(value, float) and value - value != 0:
        return None
    return value


def detail(text: str) -> None:
    """Print a detail, shown with -v only."""
    if _verbosity > 0:
        _line(literal(text), "dim")


def note(text: str) -> None:
    """Print a note, silenced by -q."""
    if not is_quiet():
        _line(literal(text), "")


class _LogHandler(logging.Handler):
    """Prints what the library logs, each message once."""

    def __init__(self) -> None:
        super().__init__()
        self._printed: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        message = record.getMessage()
        if message not in self._printed:
            self._printed.add(message)
            (warn if record.levelno >= logging.WARNING else note)(message)


def show_library_notes() -> None:
    """Print what the library logs, as notes and warnings, for the rest of the process.

    Notes of Pillow about odd pictures and of matplotlib about its directories need -v.
    """
    logger = logging.getLogger("fmnist_cli")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    logger.handlers = [_LogHandler()]
    if _verbosity <= 0:
        warnings.filterwarnings("ignore", module=r"PIL\.")
        for name in ("PIL", "matplotlib"):
            logging.getLogger(name).addHandler(logging.NullHandler())


def warn(text: str) -> None:
    """Print a warning: a result may mean less than it seems."""
    _line("warning: ", "yellow", literal(text))


def error(text: str) -> None:
    """Print why the command failed; ignored if stderr can't be written."""
    # A newline in a file's name must not look like a line break of the message.
    names = {part for word in sys.argv for part in re.split("[/=]", word) if "\n" in part}
    for name in sorted(names, key=len, reverse=True):  # one may be part of another
        if name.strip():
            text = text.replace(name, literal(name))
    try:
        _line("error: ", "bold red", "\n".join(map(literal, text.split("\n"))))
    except OSError:  # disk full or pipe closed: the exit code still reports the failure
        discard(sys.stderr)


def discard(stream: TextIO) -> None:
    """Discard a stream's buffered output, so that the final flush can't fail again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _line(styled: str, style: str, plain: str = "") -> None:
    if is_drawn(sys.stderr):
        from rich.text import Text

        err().print(Text.assemble((styled, style), plain))
    else:
        sys.stderr.write(f"{styled}{plain}\n")
