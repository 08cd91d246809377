"""How devices are called, whichever backend computes."""

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
