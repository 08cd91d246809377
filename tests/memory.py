"""Peak memory of a piece of work, as the Linux kernel counts it."""

import sys
from collections.abc import Iterator
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


def telling_its_peak(command: list[str]) -> list[str]:
    """A command that ends its stderr with a line: the peak memory of `command` in KiB.

    A process counts what its parent held when it started, so a small one stands between.
    """
    return [sys.executable, "-c", _TELL, *command]


_TELL = """
import resource, subprocess, sys
code = subprocess.call(sys.argv[1:])
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)
sys.exit(code)
"""


def _read(name: str) -> int:
    line = next(line for line in _STATUS.read_text().splitlines() if line.startswith(name))
    return int(line.split()[1]) * 1024
