"""Commands of the program in processes forked from one that has already imported what they need.

A command then starts in hundredths of a second, so that it can be killed many times. The server
has one thread and runs one command at a time; whoever asked for it may do what they like to its
process.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import IO, Any, Final, NoReturn

from tests.cli.conftest import clean_environment

_EVENTS: Final = frozenset({"open", "os.rename", "os.remove"})
_POLL_SECONDS: Final = 0.0005
_PR_SET_PTRACER: Final = 0x59616D61
_PR_SET_PTRACER_ANY: Final = -1


@dataclass(frozen=True, slots=True)
class Ended:
    """A command that has ended."""

    returncode: int
    """As subprocess has it: negative where a signal ended the process."""
    out: str
    err: str


class ForkServer:
    """Starts commands; at most one of them runs."""

    def __init__(self, process: "subprocess.Popen[str]", events: IO[bytes], folder: Path) -> None:
        self._process, self._events, self._folder = process, events, folder

    def start(
        self, *arguments: str | Path, cwd: Path, watch: Path | None = None, traced: bool = False
    ) -> int:
        """Start `fmnist` with arguments; returns the number of its process.

        watch: each opening, renaming and removal of a file below it is told to `wait_for_events`.
        traced: the command waits until a tracer is attached.
        """
        request = {
            "arguments": [str(argument) for argument in arguments],
            "cwd": str(cwd),
            "watch": str(watch) if watch is not None else None,
            "traced": traced,
            "streams": [str(self._folder / name) for name in ("out", "err")],
        }
        while self._events.read(4_096):
            pass  # what the command before had still to tell
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return int(self._reply())

    def wait(self) -> Ended:
        """Wait for the command's end."""
        returncode = os.waitstatus_to_exitcode(int(self._reply()))
        out, err = (
            (self._folder / name).read_text(encoding="utf-8", errors="replace")
            for name in ("out", "err")
        )
        return Ended(returncode, out, err)

    def run(self, *arguments: str | Path, cwd: Path) -> Ended:
        """Run a command to its end."""
        self.start(*arguments, cwd=cwd)
        return self.wait()

    def wait_for_events(self, pid: int, count: int) -> None:
        """Wait until the command has touched so many watched files, or has ended."""
        while count > 0 and not _is_over(pid):
            count -= len(self._events.read(count) or b"")
            time.sleep(_POLL_SECONDS)

    def _reply(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the server has ended; its stderr tells why"
        return line


def _is_over(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].startswith("Z")
    except (FileNotFoundError, ProcessLookupError):  # gone before its file was opened, or read
        return True


@contextmanager
def fork_server(
    folder: Path,
    *,
    warm_up: Sequence[Sequence[str]] = (),
    imports: Sequence[str] = (),
    prepare: str | None = None,
) -> Iterator[ForkServer]:
    """Run a server for the length of a with-block, its files in `folder`.

    warm_up: commands that the server itself runs first, for all that they import. imports: modules
    that it imports. prepare: `module:function` that it calls before its first fork.
    """
    folder.mkdir(parents=True, exist_ok=True)
    events, told = os.pipe()
    os.set_blocking(events, False)
    setup = {
        "warm_up": [list(command) for command in warm_up],
        "imports": list(imports),
        "prepare": prepare,
        "cwd": str(folder),
        "events": told,
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.cli.forked", json.dumps(setup)],
        cwd=Path(__file__).parents[2],
        env=clean_environment({"OMP_NUM_THREADS": "1"}),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        pass_fds=[told],
    )
    os.close(told)
    with process, os.fdopen(events, "rb", buffering=0) as stream:
        yield ForkServer(process, stream, folder)


def _serve(setup: dict[str, Any]) -> None:
    replies = os.dup(1)
    os.dup2(2, 1)  # where the commands that warm up may say what they like
    for name in setup["imports"]:
        import_module(name)
    for arguments in setup["warm_up"]:
        code = _command(arguments)
        assert code == 0, (arguments, code)
    if setup["prepare"] is not None:
        module, _, function = setup["prepare"].partition(":")
        getattr(import_module(module), function)()
    for line in sys.stdin:
        tasks = len(list(Path("/proc/self/task").iterdir()))
        assert tasks == 1, f"{tasks} threads: a fork would leave their locks locked"
        request = json.loads(line)
        pid = os.fork()
        if pid == 0:
            _live(request, setup["events"])
        _reply(replies, pid)
        _, status = os.waitpid(pid, 0)
        _reply(replies, status)


def _reply(replies: int, number: int) -> None:
    os.write(replies, f"{number}\n".encode())


def _command(arguments: list[str]) -> object:
    """Run a command by the program's own entry point; returns its exit code."""
    (program,) = entry_points(group="console_scripts", name="fmnist")
    sys.argv = ["fmnist", *arguments]
    try:
        program.load()()
    except SystemExit as ending:
        return ending.code
    return None


def _live(request: dict[str, Any], events: int) -> NoReturn:
    """Be the process of one command."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.chdir(request["cwd"])
    for stream, path in zip((1, 2), request["streams"], strict=True):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), stream)
    if request["traced"]:
        _wait_for_tracer()
    if request["watch"] is not None:
        _tell_events(request["watch"], events)
    code = 99
    try:
        ended = _command(request["arguments"])
        code = ended if isinstance(ended, int) else code
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)


def _wait_for_tracer() -> None:
    import ctypes

    # Where only a parent may trace, others must be allowed to; elsewhere the call does nothing.
    ctypes.CDLL(None).prctl(_PR_SET_PTRACER, _PR_SET_PTRACER_ANY)
    while "TracerPid:\t0\n" in Path("/proc/self/status").read_text():
        time.sleep(_POLL_SECONDS)


def _tell_events(folder: str, events: int) -> None:
    def tell(event: str, arguments: tuple[Any, ...]) -> None:
        if event in _EVENTS and not isinstance(arguments[0], int):
            path = os.fsdecode(arguments[0])
            if path.startswith(folder):
                os.write(events, b".")

    sys.addaudithook(tell)


if __name__ == "__main__":
    given = json.loads(sys.argv[1])
    os.chdir(given["cwd"])
    _serve(given)
