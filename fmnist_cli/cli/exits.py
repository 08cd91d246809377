"""Turn the outcome of a command into an exit code and a message."""

import errno
import io
import os
import signal
import sys
import traceback
from typing import Final

import typer

from fmnist_cli.cli import console
from fmnist_cli.cli.signals import BY_SIGNAL, answered
from fmnist_cli.cli.usage import explain
from fmnist_cli.errors import FmnistError, Interrupted, OutputError, StorageError, Unavailable

BUG: Final = 1
PIPE_CLOSED: Final = BY_SIGNAL + 13
_IS_WINDOWS: Final = os.name == "nt"


def run() -> int:
    """Run the command given by sys.argv and return its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # file names need not be valid text
            stream.reconfigure(errors="backslashreplace")
            if _IS_WINDOWS and not stream.isatty():  # as on other systems
                stream.reconfigure(encoding="utf-8", newline="\n")
    with answered() as received:
        try:
            try:
                from fmnist_cli.cli.app import app

                outcome = app(prog_name="fmnist", standalone_mode=False)
                sys.stdout.flush()
            except BaseException as error:
                if received.number:  # another exception may have replaced the signal's
                    raise
                return _handle(error)
        except BaseException:
            if received.number:
                return BY_SIGNAL + received.number
            raise
    return outcome if isinstance(outcome, int) else 0


def _handle(error: BaseException) -> int:
    """Report an exception and return the exit code."""
    match error:
        case typer.TyperException():
            console.error(explain(error))
            return error.exit_code
        case FmnistError():
            return _report(error)
        case typer.Abort():
            return BY_SIGNAL + signal.SIGINT
        case console.PipeClosedError() | BrokenPipeError():
            console.discard(sys.stdout)
            return PIPE_CLOSED
        case OSError() if (code := _storage(error)) is not None:
            return code
        case ModuleNotFoundError() if (code := _missing_package(error)) is not None:
            return code
        case Exception():
            traceback.print_exception(error)
            return BUG
    raise error


def _report(error: FmnistError) -> int:
    rank = os.environ.get("RANK", "0")
    if rank == "0":
        console.error(str(error))
    elif not isinstance(error, Interrupted):  # the first process reports how to resume
        console.error(f"process {rank}: {error}")
    if isinstance(error, Interrupted):
        return BY_SIGNAL + error.signal_number
    return error.exit_code


def _missing_package(error: ModuleNotFoundError) -> int | None:
    """Report a package missing from a light installation; any other missing module is a bug."""
    package = (error.name or "").partition(".")[0]
    if package in ("", "fmnist_cli") or package in sys.stdlib_module_names:
        return None
    console.error(
        f"this needs the package '{package}', which is not installed\n"
        "install the full program: pip install fmnist-cli"
    )
    return Unavailable.exit_code


def _storage(error: OSError) -> int | None:
    """Report a failure of the file system; any other OSError is a bug."""
    if _IS_WINDOWS and error.errno == errno.EINVAL and error.filename is None:
        console.discard(sys.stdout)  # what Windows reports for a closed pipe
        return PIPE_CLOSED
    refused = {errno.EACCES, errno.EPERM, errno.EROFS, errno.EISDIR, errno.ENOTDIR, errno.ENOENT}
    failed = {errno.ENOSPC, errno.EIO, errno.EDQUOT, errno.EFBIG, errno.EBADF}
    if error.errno not in refused | failed:
        return None
    where = f"'{error.filename}'" if error.filename else "the output"
    if error.errno == errno.EBADF:
        console.error("standard input or output is closed; expected a file, a pipe or /dev/null")
    else:
        console.error(f"{where}: {error.strerror}")
    if error.errno in failed:
        console.discard(sys.stdout)
        return StorageError.exit_code
    return OutputError.exit_code
