"""What the user sees: results on stdout, everything else on stderr.

On a terminal rich draws; elsewhere plain lines without control characters are written. Texts are
always shown literally: no markup, no emoji codes, no highlighting of a path's digits.
"""

import json
import os
import re
import sys
from functools import cache
from typing import TYPE_CHECKING, Any, Final, TextIO

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

PIPE_WIDTH: Final = 1_000
"""Columns where there is no terminal: lines and tables are never folded in a pipe."""

_verbosity = 0
_config_words: list[str] = []


class PipeClosedError(Exception):
    """The reader of stdout has had enough."""


def set_verbosity(*, quiet: bool, verbose: bool) -> None:
    """Choose what reaches stderr: with `quiet` warnings and errors only, with `verbose` details."""
    global _verbosity
    _verbosity = -1 if quiet else int(verbose)


def heed(word: str) -> None:
    """Show the newlines of a word from a config file as such where an error names it."""
    _config_words.append(word)


def is_quiet() -> bool:
    """Whether progress and notes are switched off."""
    return _verbosity < 0


def is_verbose() -> bool:
    """Whether details were asked for."""
    return _verbosity > 0


def is_drawn(stream: TextIO) -> bool:
    """Whether what goes to a stream is drawn: on a terminal, or where FORCE_COLOR asks for it."""
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
    """Let everything but results go to another stream from now on."""
    sys.stderr = stream
    err.cache_clear()


def literal(text: str) -> str:
    """Text from elsewhere as it is shown: control characters are written out, never obeyed."""
    return "".join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in text)


def result(text: object) -> None:
    """Write one plain line to stdout."""
    sys.stdout.write(f"{text}\n")


def show(table: "RenderableType") -> None:
    """Draw a table on stdout; in a pipe its lines end with their words, not at its edge."""
    if out().is_terminal:
        out().print(table)
        return
    with out().capture() as captured:
        out().print(table)
    for line in captured.get().removesuffix("\n").split("\n"):
        result(line.rstrip(" "))


def print_json(document: Any) -> None:
    """Write one JSON document to stdout; NaN and infinity, which JSON lacks, become null."""
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
    """Tell something that only -v asks for."""
    if is_verbose():
        _line(literal(text), "dim")


def note(text: str) -> None:
    """Tell something that -q silences."""
    if _verbosity >= 0:
        _line(literal(text), "")


def warn(text: str) -> None:
    """Tell something that may make a result mean less than it seems."""
    _line(literal(f"warning: {text}"), "yellow")


def error(text: str) -> None:
    """Tell why the command failed, in one line or several; where none can be written, go on."""
    # The newlines in a message that are not ours: those of words which the user has given.
    given = [*sys.argv, *os.environ.values(), *_config_words]
    names = {part for word in given for part in re.split("[/=]", word) if "\n" in part}
    for name in sorted(names, key=len, reverse=True):  # a part of one may be another
        if name.strip():
            text = text.replace(name, literal(name))
    try:
        _line("\n".join(map(literal, f"error: {text}".split("\n"))), "bold red")
    except OSError:  # a full disk, or nobody reads: the exit code still tells
        discard(sys.stderr)


def discard(stream: TextIO) -> None:
    """Keep the interpreter's last flush of a stream from failing a second time."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _line(text: str, style: str) -> None:
    if is_drawn(sys.stderr):
        from rich.text import Text

        head, mark, rest = (
            text.partition(": ") if style.startswith(("bold", "yel")) else ("", "", text)
        )
        err().print(Text.assemble((head + mark, style), (rest, style if not mark else "")))
    else:
        sys.stderr.write(text + "\n")
