"""What this machine offers: devices, precisions and versions."""

import importlib.util
import platform
import sys
from importlib import metadata
from typing import Any, Final

from fmnist_cli.constants import VERSION
from fmnist_cli.devices import usable_cores
from fmnist_cli.errors import Unavailable

PACKAGES: Final = (
    "torch",
    "torchvision",
    "numpy",
    "onnx",
    "onnxruntime",
    "pandas",
    "pillow",
    "scikit-learn",
    "typer",
    "rich",
)


def describe_machine() -> dict[str, Any]:
    """Plain data under the keys that `fmnist info --format json` prints; imports torch if it can.

    The first device is what `--device auto` takes.
    """
    return {
        "fmnist": VERSION,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "executable": sys.executable,
        "devices": _devices() if importlib.util.find_spec("torch") else [],
        "onnxruntime_providers": _providers() if importlib.util.find_spec("onnxruntime") else [],
        "packages": {name: _version(name) for name in PACKAGES},
    }


def _devices() -> list[dict[str, Any]]:
    from fmnist_cli.training import device

    return [_describe_device(name) for name in device.available()]


def _describe_device(name: str) -> dict[str, Any]:
    import torch

    from fmnist_cli.training import device

    found = device.resolve(name)
    if found.type == "cuda":
        properties = torch.cuda.get_device_properties(found)
        description, memory_bytes = properties.name, properties.total_memory
    else:
        description, memory_bytes = platform.processor() or platform.machine(), None
    if found.type == "cpu":
        capability = torch.backends.cpu.get_cpu_capability()
        description += f", {usable_cores()} cores, {capability}"
    return {
        "name": name,
        "description": description,
        "memory_bytes": memory_bytes,
        "precisions": [name for name in ("fp32", "bf16", "fp16") if _has_precision(name, found)],
        "auto_precision": device.resolve_precision("auto", found).name,
    }


def _has_precision(name: str, found: Any) -> bool:
    from fmnist_cli.training import device

    try:
        device.resolve_precision(name, found)
    except Unavailable:
        return False
    return True


def _providers() -> list[str]:
    import onnxruntime

    return list(onnxruntime.get_available_providers())


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
