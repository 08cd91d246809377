"""System calls counted, and made to fail, by strace."""

import re
import subprocess
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.cli.conftest import clean_environment
from tests.cli.server import ForkServer

CALLS: Final = ("write", "pwrite64", "fsync", "fdatasync", "rename", "renameat", "renameat2")
FAULTS: Final = {"ENOSPC": "error=ENOSPC", "EIO": "error=EIO", "SIGKILL": "signal=KILL"}
"""What can come of a call, as `strace --inject` has it."""
_LINE: Final = re.compile(r"\d+ +(\w+)\((.*)")


@dataclass(frozen=True, slots=True)
class Call:
    """The n-th call of this name about one file, counted from 1."""

    name: str
    path: str
    """Below the command's folder; of a renaming, the temporary one."""
    number: int

    def fails(self, fault: str, folder: Path) -> list[str]:
        """Options of strace."""
        # Programs name files as they like; descriptors are known by their whole path.
        paths = [word for path in (self.path, str(folder / self.path)) for word in ("-P", path)]
        return [*paths, "-e", f"inject={self.name}:{FAULTS[fault]}:when={self.number}"]


def calls_below(log: Path, folder: Path) -> list[Call]:
    """Calls about files below a folder, in order.

    log: what `strace -f -y` wrote.
    """
    counted: Counter[tuple[str, str]] = Counter()
    found = []
    for line in map(_LINE.match, log.read_text(errors="replace").splitlines()):
        if line is None:
            continue
        name, arguments = line.groups()
        about = re.match(r'\d+<(/[^>]*)>|(?:AT_FDCWD[^,]*, )?"([^"]*)"', arguments)
        if about is None:  # a pipe or a socket
            continue
        path = folder / (about[1] or about[2])
        if path.is_relative_to(folder):
            below = str(path.relative_to(folder))
            counted[name, below] += 1
            found.append(Call(name, below, counted[name, below]))
    return found


def run_traced(
    server: ForkServer, arguments: tuple[str | Path, ...], cwd: Path, log: Path, *options: str
) -> "subprocess.CompletedProcess[str]":
    """Run a command under strace, from its first call on."""
    pid = server.start(*arguments, cwd=cwd, env=clean_environment(), traced=True)
    command = ["strace", "-f", "-y", "-s", "0", "-o", str(log), "-e", f"trace={','.join(CALLS)}"]
    tracer = subprocess.Popen(
        [*command, *options, "-p", str(pid)], stderr=subprocess.PIPE, text=True
    )
    ended = server.wait()
    _, err = tracer.communicate(timeout=60)
    assert "attached" in err, err
    return ended


def was_injected(log: Path) -> bool:
    """Whether the fault came to pass."""
    text = log.read_text(errors="replace")
    return "(INJECTED)" in text or "+++ killed by SIGKILL +++" in text
