"""The names of devices, whichever backend computes, and the number of usable CPU cores."""

import os
import re
import sys
from pathlib import Path
from typing import Final

from fmnist_cli.errors import UsageError

_CGROUP: Final = Path("/sys/fs/cgroup")
_NAME: Final = re.compile(r"auto|cpu|mps|(?:cuda|gpu)(?::([0-9]{1,4}))?|([0-9]{1,4})")
_LIST: Final = re.compile(r"(?:(?:cuda|gpu):?)?[0-9]+(?:,(?:(?:cuda|gpu):)?[0-9]+)+")


def device_name(text: str) -> str:
    """The canonical name of a device: auto, cpu, mps, cuda or cuda:N.

    Case does not matter, `gpu` means cuda, and a bare number is a CUDA index. Raises UsageError
    for anything else; a list of devices is answered with the options that take its place.
    """
    name = text.lower()
    match = _NAME.fullmatch(name)
    if match is not None:
        index = match[1] or match[2]
        if index is not None:
            return f"cuda:{int(index)}"
        return "cuda" if name == "gpu" else name
    if _LIST.fullmatch(name.replace(" ", "")):
        raise UsageError(
            f"--device takes one device, not '{text}'\n"
            f"for one of them: --device cuda:{re.findall('[0-9]+', name)[0]}; "
            f"to train on all of them: --nproc {name.count(',') + 1}"
        )
    hint = "; a CUDA GPU is called cuda" if name.startswith(("gpu", "cuda", "nvidia")) else ""
    raise UsageError(f"no device is called '{text}'; expected auto, cpu, cuda, cuda:N or mps{hint}")


def usable_cores() -> int:
    """Cores this process may use: fewer than the machine's under taskset or in a container.

    More threads than that spend their time waiting for each other.
    """
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    else:
        cores = os.cpu_count() or 1
    return max(1, min(cores, int(_cpu_quota(_CGROUP))))


def _cpu_quota(cgroup: Path) -> float:
    """Cores' worth of CPU time that a container may use; infinite without a limit."""
    for files in (("cpu.max",), ("cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us")):  # v2, v1
        try:
            quota, period = " ".join((cgroup / file).read_text() for file in files).split()
            if float(quota) > 0:
                return float(quota) / float(period)
        except (OSError, ValueError):  # not there, or no limit: max, -1
            continue
    return sys.maxsize
