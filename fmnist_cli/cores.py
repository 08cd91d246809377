"""How many CPU cores there are to use."""

import os


def usable_cores() -> int:
    """Cores this process may use: fewer than the machine's under taskset or in a container."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
