"""Errors that a user can meet, each with the exit code that the command line gives it.

Library code raises these where the fault is known; `fmnist_cli.cli` renders them in one place.
Anything else that is raised is a bug and keeps its traceback. The codes follow BSD's sysexits.h.
"""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import ClassVar


class FmnistError(Exception):
    """Base of every error of ours. The message says what happened, what was expected, the fix."""

    exit_code: ClassVar[int] = 1


class UsageError(FmnistError):
    """Options that do not fit together, or a value out of its range."""

    exit_code = 2


class GateMissed(FmnistError):  # noqa: N818 - an outcome that was asked for, not a fault
    """A `--min METRIC=VALUE` was not reached."""

    exit_code = 3


class DataError(FmnistError):
    """Input that exists but is not what it should be: a corrupt image, CSV, IDX file."""

    exit_code = 65


class CheckpointError(DataError):
    """A model file that is damaged, foreign or of a newer format."""


class MissingInput(FmnistError):  # noqa: N818
    """An input that does not exist."""

    exit_code = 66


class Unavailable(FmnistError):  # noqa: N818
    """No mirror answers, the device is not there, or an optional package is missing."""

    exit_code = 69


class CheckFailed(FmnistError):  # noqa: N818
    """A check of our own failed: the loss is not finite, or ONNX and torch disagree."""

    exit_code = 70


class OutputError(FmnistError):
    """An output can't be created."""

    exit_code = 73


class StorageError(FmnistError):
    """Reading or writing failed part-way: disk full, input/output error."""

    exit_code = 74


class Locked(FmnistError):  # noqa: N818
    """Another run holds the folder; trying again later helps."""

    exit_code = 75


class Interrupted(FmnistError):  # noqa: N818
    """Stopped by a signal, with the training state saved."""

    def __init__(self, message: str, signal_number: int) -> None:
        super().__init__(message)
        self.signal_number = signal_number


def in_one_line(text: str) -> str:
    """Text from elsewhere for a message: its newlines are written out, those of a message stay."""
    return text.replace("\n", "\\n")


def did_you_mean(name: str, known: Iterable[str], *, likeness: float = 0.6) -> str:
    """The end of a message: the known name that is most like `name`; empty where none is.

    likeness: the least share of letters in common, as difflib counts it.
    """
    near = get_close_matches(name, list(known), n=1, cutoff=likeness)
    return f"; did you mean '{near[0]}'?" if near else ""
