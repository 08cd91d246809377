"""Errors that users can run into, each with its exit code.

Library code raises these where the problem is known; `fmnist_cli.cli` prints them in one place.
Any other exception is a bug and keeps its traceback. The codes follow BSD's sysexits.h.
"""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import ClassVar


class FmnistError(Exception):
    """Base class. The message says what happened, what was expected and how to fix it."""

    exit_code: ClassVar[int] = 1


class UsageError(FmnistError):
    """Options that conflict, or a value out of range."""

    exit_code = 2


class GateMissed(FmnistError):  # noqa: N818 - an outcome, not an error
    """A `--min METRIC=VALUE` was not reached."""

    exit_code = 3


class DataError(FmnistError):
    """Bad input: a corrupt image, CSV file or IDX file, for example."""

    exit_code = 65


class NoGarment(DataError):  # noqa: N818
    """A photo in which no garment was found."""


class CheckpointError(DataError):
    """A model file that is damaged, of an unsupported kind or of a newer format."""


class MissingInput(FmnistError):  # noqa: N818
    """An input that does not exist."""

    exit_code = 66


class Unavailable(FmnistError):  # noqa: N818
    """No mirror answers, or a device or an optional package is missing."""

    exit_code = 69


class CheckFailed(FmnistError):  # noqa: N818
    """A self-check failed: the loss is not finite, or ONNX and torch disagree."""

    exit_code = 70


class OutputError(FmnistError):
    """An output can't be created."""

    exit_code = 73


class StorageError(FmnistError):
    """Reading or writing failed midway: disk full, I/O error."""

    exit_code = 74


class Locked(FmnistError):  # noqa: N818
    """Another run has locked the directory; try again later."""

    exit_code = 75


class Interrupted(FmnistError):  # noqa: N818
    """Stopped by a signal, with the training state saved."""

    def __init__(self, message: str, signal_number: int) -> None:
        super().__init__(message)
        self.signal_number = signal_number


def in_one_line(text: str) -> str:
    """Escape the newlines of quoted text, so that only the message's own newlines break lines."""
    return text.replace("\n", "\\n")


def did_you_mean(name: str, known: Iterable[str], *, likeness: float = 0.6) -> str:
    """Suffix for an error message that suggests the most similar known name; empty if none is.

    likeness: minimum similarity, 0 to 1, as computed by difflib.
    """
    near = get_close_matches(name, list(known), n=1, cutoff=likeness)
    return f"; did you mean '{near[0]}'?" if near else ""
