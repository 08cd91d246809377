"""The installed program, forked from a process that has its libraries imported already.

Importing torch costs a command two and a half seconds; a fork costs hundredths. Each command still
has a process of its own, runs the `fmnist` entry point, and ends as the interpreter ends.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from pkgutil import walk_packages
from typing import Any, Final

import fmnist_cli

ROOT: Final = Path(__file__).parents[2]
IMPORTS: Final = (*("torch", "onnx", "pandas", "sklearn.metrics", "matplotlib.figure", "jinja2"),)
_SINGLE_THREADED: Final = {
    "OPENBLAS_NUM_THREADS": "1",
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
}
"""NumPy, SciPy and Arrow start threads otherwise."""
_ANY_TRACER: Final = (0x59616D61, -1)  # PR_SET_PTRACER, PR_SET_PTRACER_ANY of <sys/prctl.h>


@dataclass(frozen=True)
class ForkServer:
    """Starts commands; one of them runs at a time."""

    process: "subprocess.Popen[str]"
    folder: Path

    def start(
        self,
        *arguments: str | Path,
        cwd: Path,
        env: Mapping[str, str],
        stdin: bytes = b"",
        traced: bool = False,
    ) -> int:
        """Start `fmnist` with arguments; returns its process id.

        traced: the command waits until a tracer is attached.
        """
        (self.folder / "0").write_bytes(stdin)
        request = {
            "argv": ["fmnist", *map(str, arguments)],
            "cwd": str(cwd),
            "env": dict(env),
            "streams": str(self.folder),
            "traced": traced,
        }
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        return self._reply()

    def wait(self) -> "subprocess.CompletedProcess[str]":
        """Wait for the command's end. A negative exit code is the signal that ended it."""
        code = os.waitstatus_to_exitcode(self._reply())
        out, err = ((self.folder / name).read_bytes().decode(errors="replace") for name in "12")
        return subprocess.CompletedProcess([], code, out, err)

    def run(
        self,
        *arguments: str | Path,
        cwd: Path,
        env: Mapping[str, str],
        stdin: bytes = b"",
        timeout: float = 120,
    ) -> "subprocess.CompletedProcess[str]":
        """Run a command to its end; one that outlasts `timeout` (seconds) is killed."""
        pid = self.start(*arguments, cwd=cwd, env=env, stdin=stdin)
        timer = threading.Timer(timeout, os.kill, (pid, signal.SIGKILL))
        timer.start()
        try:
            return self.wait()
        finally:
            timer.cancel()

    def _reply(self) -> int:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, "the server has ended; see its stderr"
        return int(line)


@contextmanager
def fork_server(folder: Path, *, prepare: str = "") -> Iterator[ForkServer]:
    """Run a server for the length of a with-block, with its files in `folder`.

    prepare: `module:function` to call once, before the first command.
    """
    folder.mkdir(parents=True, exist_ok=True)
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.cli.server", prepare],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **_SINGLE_THREADED},
    )
    with process:
        yield ForkServer(process, folder)


def _serve(prepare: str) -> dict[str, Any]:
    """Fork for each request, and return it in the child; the server ends with its requests."""
    requests, replies = os.fdopen(os.dup(0)), os.dup(1)
    os.dup2(2, 1)
    for name in IMPORTS:
        import_module(name)
    for found in walk_packages(fmnist_cli.__path__, "fmnist_cli."):
        if not found.name.startswith("fmnist_cli.export."):  # onnxruntime, which starts a thread
            import_module(found.name)
    if prepare:
        module, _, function = prepare.partition(":")
        getattr(import_module(module), function)()
    for line in requests:
        tasks = len(list(Path("/proc/self/task").iterdir())) if sys.platform == "linux" else 1
        assert tasks == 1, f"{tasks} threads: a fork would leave their locks locked"
        pid = os.fork()
        if pid == 0:
            request: dict[str, Any] = json.loads(line)
            return request
        os.write(replies, f"{pid}\n".encode())
        os.write(replies, f"{os.waitpid(pid, 0)[1]}\n".encode())
    os._exit(0)


def _become(request: dict[str, Any]) -> None:
    """Take over the arguments, folder, environment and streams of a command."""
    sys.argv = request["argv"]
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["env"])
    flags = os.O_RDWR | os.O_CREAT
    for stream in range(3):
        path = Path(request["streams"]) / str(stream)
        os.dup2(os.open(path, flags | (os.O_TRUNC if stream else 0), 0o600), stream)
    if request["traced"]:
        import ctypes

        ctypes.CDLL(None).prctl(*_ANY_TRACER)
        while "TracerPid:\t0\n" in Path("/proc/self/status").read_text():
            time.sleep(0.0005)


if __name__ == "__main__":
    (program,) = entry_points(group="console_scripts", name="fmnist")
    main = program.load()
    _become(_serve(sys.argv[1]))
    main()
