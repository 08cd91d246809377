"""What a figure was measured on, in words."""

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

from fmnist_cli.devices import usable_cores

_EXTENSIONS: Final = (("avx512f", "AVX-512"), ("avx512_bf16", "bf16"), ("amx_bf16", "AMX"))
"""What makes a processor quick at this work: its flag, and how it is called."""


def describe() -> str:
    """Processor, cores, memory and versions."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    packages = [f"{name} {_version(name)}" for name in ("torch", "onnxruntime")]
    return (
        f"{_processor()}, {usable_cores()} cores, {memory:.0f} GiB; "
        f"Python {platform.python_version()}, {', '.join(packages)}"
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    flags = next((line.split() for line in lines if line.startswith("flags")), [])
    known = [shown for flag, shown in _EXTENSIONS if flag in flags]
    name = names[0] if names else platform.machine()
    return f"{name} ({', '.join(known)})" if known else name


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
