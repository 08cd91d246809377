"""How devices are called, whichever backend computes, and how many CPU cores there are to use."""

import os
import re
from typing import Final

from fmnist_cli.errors import UsageError

_NAME: Final = re.compile(r"auto|cpu|mps|cuda(?::(\d+))?")


def check_device_name(name: str) -> int | None:
    """Check a device's name; gives N of `cuda:N`. Raises UsageError for a name of none."""
    match = _NAME.fullmatch(name)
    if match is None:
        hint = "; a CUDA GPU is called cuda" if name.lower().startswith(("gpu", "cuda")) else ""
        raise UsageError(
            f"no device is called '{name}'; expected auto, cpu, cuda, cuda:N or mps{hint}"
        )
    return None if match[1] is None else int(match[1])


def usable_cores() -> int:
    """Cores this process may use: fewer than the machine's under taskset or in a container."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
