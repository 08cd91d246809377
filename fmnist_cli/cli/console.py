"""Output: results on stdout, everything else on stderr.

Rich draws on terminals; elsewhere output consists of plain lines without control characters. Text
is always printed literally: no markup, no emoji codes, no highlighting.
"""

import json
import logging
import os
import re
import sys
from functools import cache
from typing import TYPE_CHECKING, Any, Final, TextIO

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

PIPE_WIDTH: Final = 1_000
"""Width if the output is no terminal, so that lines and tables are never wrapped in a pipe."""

_verbosity = 0
_config_words: list[str] = []


class PipeClosedError(Exception):
    """The reader of stdout has closed the pipe."""


def set_verbosity(*, quiet: bool, verbose: bool) -> None:
    """Choose what goes to stderr: `quiet` leaves warnings and errors, `verbose` adds details."""
    global _verbosity
    _verbosity = -1 if quiet else int(verbose)


def escape_in_errors(word: str) -> None:
    """Escape the newlines of this word from a config file whenever an error quotes it."""
    _config_words.append(word)


def is_quiet() -> bool:
    """Whether progress and notes are disabled (-q)."""
    return _verbosity < 0


def is_verbose() -> bool:
    """Whether details are enabled (-v)."""
    return _verbosity > 0


def is_drawn(stream: TextIO) -> bool:
    """Whether a stream gets rich output: it is a terminal, or FORCE_COLOR is set."""
    return stream.isatty() or bool(os.environ.get("FORCE_COLOR"))


def is_live() -> bool:
    """Whether stderr is a terminal on which a progress bar can be redrawn."""
    return sys.stderr.isatty() and not err().is_dumb_terminal


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
    return _console(sys.stdout)


@cache
def err() -> "Console":
    """The console of progress, notes, warnings and errors."""
    return _console(sys.stderr)


def set_stderr(stream: TextIO) -> None:
    """Redirect progress, notes, warnings and errors to another stream."""
    sys.stderr = stream
    err.cache_clear()


def literal(text: str) -> str:
    """Escape control characters in untrusted text."""
    return "".join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in text)


def result(text: object) -> None:
    """Print one plain line on stdout."""
    sys.stdout.write(f"{text}\n")


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
    sys.stdout.write(json.dumps(_finite(document), indent=2, ensure_ascii=False) + "\n")


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
    if is_verbose():
        _line(literal(text), "dim")


def note(text: str) -> None:
    """Print a note, silenced by -q."""
    if _verbosity >= 0:
        _line(literal(text), "")


def warn(text: str) -> None:
    """Print a warning: a result may mean less than it seems."""
    _line(literal(f"warning: {text}"), "yellow")


def error(text: str) -> None:
    """Print why the command failed; ignored if stderr can't be written."""
    # Newlines in words that the user has given must not look like line breaks of the message.
    given = [*sys.argv, *os.environ.values(), *_config_words]
    names = {part for word in given for part in re.split("[/=]", word) if "\n" in part}
    for name in sorted(names, key=len, reverse=True):  # one may be part of another
        if name.strip():
            text = text.replace(name, literal(name))
    try:
        _line("\n".join(map(literal, f"error: {text}".split("\n"))), "bold red")
    except OSError:  # disk full or pipe closed: the exit code still reports the failure
        discard(sys.stderr)


def discard(stream: TextIO) -> None:
    """Discard a stream's buffered output, so that the final flush can't fail again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


class LogHandler(logging.Handler):
    """Print what the library logs: warnings as warnings, the rest as details."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print one record."""
        (warn if record.levelno >= logging.WARNING else detail)(record.getMessage())


def _line(text: str, style: str) -> None:
    if is_drawn(sys.stderr):
        from rich.text import Text

        head, mark, rest = (
            text.partition(": ") if style.startswith(("bold", "yel")) else ("", "", text)
        )
        err().print(Text.assemble((head + mark, style), (rest, style if not mark else "")))
    else:
        sys.stderr.write(text + "\n")
