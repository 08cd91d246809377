"""Peak memory of a piece of work, as the Linux kernel counts it."""

import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")
CAN_MEASURE = sys.platform == "linux"


@dataclass
class Peak:
    """What `measured` found."""

    extra_bytes: int = 0
    """The most that was held at once, beyond what was held before; 0 if it can't be measured."""


@contextmanager
def measured() -> Iterator[Peak]:
    """Measure the peak of this process's resident memory while the context lasts."""
    peak = Peak()
    if not CAN_MEASURE:
        yield peak
        return
    _CLEAR.write_text("5")  # the peak begins anew, from what is held now
    before = _read("VmRSS:")
    try:
        yield peak
    finally:
        peak.extra_bytes = max(0, _read("VmHWM:") - before)


def run_with_peak(
    command: Sequence[str], env: Mapping[str, str]
) -> "tuple[subprocess.CompletedProcess[str], int]":
    """Run a command to its end; also gives its peak memory in KiB.

    A process counts what its parent held when it started, so a small one stands between.
    """
    done = subprocess.run(
        [sys.executable, "-c", _TELL, *command],
        env=env,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    done.stderr, _, peak = done.stderr.rstrip("\n").rpartition("\n")
    return done, int(peak)


_TELL = """
import resource, subprocess, sys
code = subprocess.call(sys.argv[1:])
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)
sys.exit(code)
"""


def _read(name: str) -> int:
    line = next(line for line in _STATUS.read_text().splitlines() if line.startswith(name))
    return int(line.split()[1]) * 1024
