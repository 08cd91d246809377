"""The machine that a figure was measured on, and whether other processes disturbed it (Linux)."""

import os
import platform
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Final

from fmnist_cli.devices import usable_cores

MAX_TAKEN: Final = 0.05
"""Share of the cores that others may use before a time means nothing."""
_EXTENSIONS: Final = {"avx512f": "AVX-512", "avx512_bf16": "bf16", "amx_bf16": "AMX"}
"""Processor flags that matter for training speed."""
_STATISTICS: Final = Path("/proc/stat")


def describe() -> str:
    """Processor, cores, memory and versions."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    packages = ", ".join(f"{name} {version(name)}" for name in ("torch", "onnxruntime"))
    return (
        f"{_processor()}, {usable_cores()} cores, {memory:.0f} GiB; "
        f"Python {platform.python_version()}, {packages}"
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    facts = {line.partition(":")[0].strip(): line.partition(":")[2].strip() for line in lines}
    flags = facts.get("flags", "").split()
    known = [shown for flag, shown in _EXTENSIONS.items() if flag in flags]
    name = facts.get("model name", platform.machine())
    return f"{name} ({', '.join(known)})" if known else name


def watch() -> Callable[[], float]:
    """Start to watch; the result returns the share of the cores that others have used since.

    Others are all processes but this one and its finished children. 0.0 if the system does not
    report it.
    """
    before, started_at = _seconds_of_others(), time.monotonic()

    def taken() -> float:
        seconds = usable_cores() * (time.monotonic() - started_at)
        return max(0.0, (_seconds_of_others() - before) / seconds)

    return taken


def _seconds_of_others() -> float:
    """Core seconds since the start of the machine."""
    if not _STATISTICS.exists():
        return 0.0
    counts = _STATISTICS.read_text(encoding="ascii").splitlines()[0].split()[1:]
    user, nice, system, _idle, _waiting, *interrupts_and_stolen = map(int, counts[:8])
    busy = (user + nice + system + sum(interrupts_and_stolen)) / os.sysconf("SC_CLK_TCK")
    times = os.times()
    return busy - (times.user + times.system + times.children_user + times.children_system)
