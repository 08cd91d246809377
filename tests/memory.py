"""Peak memory of a piece of work, as the Linux kernel counts it."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

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
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew, from what is held now
    before = _read("VmRSS:")
    try:
        yield peak
    finally:
        peak.extra_bytes = max(0, peak_bytes() - before)


def peak_bytes(process: int | str = "self") -> int:
    """The most memory that a running process has held so far."""
    return _read("VmHWM:", process)


def _read(name: str, process: int | str = "self") -> int:
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    line = next(line for line in lines if line.startswith(name))
    return int(line.split()[1]) * 1024
