"""The one place where an outcome becomes an exit code and a message."""

import errno
import io
import os
import signal
import sys
import traceback
from typing import Final

import typer

from fmnist_cli.cli import console
from fmnist_cli.cli.signals import BY_SIGNAL, Received, answered
from fmnist_cli.cli.usage import explain
from fmnist_cli.errors import FmnistError, Interrupted, OutputError, StorageError, Unavailable

BUG: Final = 1
PIPE_CLOSED: Final = BY_SIGNAL + 13
_IS_WINDOWS: Final = os.name == "nt"


def run() -> int:
    """Run the command that the process's arguments name; returns its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a file's name may be anything but text
            stream.reconfigure(errors="backslashreplace")
            if _IS_WINDOWS and not stream.isatty():  # pipes carry what they carry elsewhere
                stream.reconfigure(encoding="utf-8", newline="\n")
    with answered() as received:
        try:
            return _run_app(received)
        except BaseException:
            if received.number:
                return BY_SIGNAL + received.number
            raise


def _run_app(received: Received) -> int:
    """Run the command and answer what it raises, but for all that follows from a signal."""
    try:
        from fmnist_cli.cli.app import app

        outcome = app(prog_name="fmnist", standalone_mode=False)
        sys.stdout.flush()
    except BaseException as error:
        if received.number:  # it may have become anything, deep in an import
            raise
        return _answer(error)
    return outcome if isinstance(outcome, int) else 0


def _answer(error: BaseException) -> int:
    """Tell what went wrong; returns the exit code."""
    match error:
        case typer.TyperException():
            console.error(explain(error))
            return error.exit_code
        case FmnistError():
            return _told(error)
        case typer.Abort():
            return BY_SIGNAL + signal.SIGINT
        case console.PipeClosedError() | BrokenPipeError():
            console.discard(sys.stdout)
            return PIPE_CLOSED
        case OSError():
            return _storage(error)
        case ModuleNotFoundError():
            return _missing_package(error)
        case Exception():  # a bug: shown with its traceback
            traceback.print_exception(error)
            return BUG
    raise error


def _told(error: FmnistError) -> int:
    rank = os.environ.get("RANK", "0")
    if rank == "0":
        console.error(str(error))
    elif not isinstance(error, Interrupted):  # only the first process knows how to go on
        console.error(f"process {rank}: {error}")
    if isinstance(error, Interrupted):
        return BY_SIGNAL + error.signal_number
    return error.exit_code


def _missing_package(error: ModuleNotFoundError) -> int:
    """A light install lacks what only some commands need; anything else is a bug."""
    package = (error.name or "").partition(".")[0]
    if package in ("", "fmnist_cli") or package in sys.stdlib_module_names:
        traceback.print_exception(error)
        return BUG
    console.error(
        f"this needs the package '{package}', which is not installed; "
        "the full program has it: pip install fmnist-cli"
    )
    return Unavailable.exit_code


def _storage(error: OSError) -> int:
    """Faults of the file system; any other OSError is a bug of ours."""
    if _IS_WINDOWS and error.errno == errno.EINVAL and error.filename is None:
        console.discard(sys.stdout)  # how a pipe without a reader is told there
        return PIPE_CLOSED
    refused = {errno.EACCES, errno.EPERM, errno.EROFS, errno.EISDIR, errno.ENOTDIR, errno.ENOENT}
    failed = {errno.ENOSPC, errno.EIO, errno.EDQUOT, errno.EFBIG}
    if error.errno not in refused | failed:
        traceback.print_exception(error)
        return BUG
    where = f"'{error.filename}'" if error.filename else "the output"
    console.error(f"{where}: {error.strerror}")
    if error.errno in failed:
        console.discard(sys.stdout)
        return StorageError.exit_code
    return OutputError.exit_code
