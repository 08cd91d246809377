"""What `fmnist info` reports about a model file and about this machine."""

import contextlib
import importlib.util
import platform
import sys
from dataclasses import asdict
from importlib import metadata
from typing import Any, Final

from fmnist_cli.constants import VERSION
from fmnist_cli.devices import usable_cores
from fmnist_cli.errors import Unavailable
from fmnist_cli.inference.classifier import Classifier

_NETWORK_KEYS: Final = ("options", "parameters", "macs")
_RECORDED_KEYS: Final = (
    *("recipe", "preparation", "temperature", "config", "data", "metrics", "measured", "versions"),
    "created_at",
)
_PACKAGES: Final = (
    *("torch", "torchvision", "numpy", "onnx", "onnxruntime", "pandas", "pillow"),
    *("scikit-learn", "typer", "rich"),
)


def describe_model(classifier: Classifier) -> dict[str, Any]:
    """Plain data under the keys of `fmnist info MODEL --format json`.

    Whatever the file does not record is None, as for another program's ONNX file.
    """
    recorded = classifier.metadata.to_json() if classifier.metadata is not None else {}
    network = recorded.get("model", {})
    return {
        "model": str(classifier.path),
        "format": classifier.backend,
        "size_bytes": classifier.path.stat().st_size,
        "format_version": recorded.get("format_version"),
        "network": network.get("name"),
        **{key: network.get(key) for key in _NETWORK_KEYS},
        "classes": recorded.get("classes"),
        **{key: recorded.get(key) for key in _RECORDED_KEYS},
        "layers": None if (layers := classifier.layers()) is None else [*map(asdict, layers)],
    }


def describe_network(spec: str, num_classes: int) -> dict[str, Any]:
    """Plain data about a user's own network, untrained, under keys of `describe_model`.

    Raises as `fmnist_cli.models.own.build`.
    """
    from fmnist_cli import models
    from fmnist_cli.models.cost import count_macs, layers_of

    network = models.build(spec, num_classes)
    return {
        "network": spec,
        "parameters": models.count_parameters(network),
        "macs": count_macs(network),
        "layers": [asdict(layer) for layer in layers_of(network)],
    }


def as_text(value: Any) -> str:
    """Plain data as one line; entries of a mapping that are unset or off are left out."""
    if isinstance(value, dict):
        entries = [
            f"{key} {as_text(entry)}"
            for key, entry in value.items()
            if entry is not None and entry is not False and entry != {}
        ]
        return ", ".join(entries) or "-"
    if isinstance(value, list):
        return ", ".join(as_text(item) for item in value)
    if isinstance(value, float):
        return f"{value:.6g}"
    if value is None:
        return "-"
    return f"{value:,}" if type(value) is int else str(value)


def describe_machine() -> dict[str, Any]:
    """Plain data under the keys of `fmnist info --format json`; imports torch if installed.

    The first device is the one that `--device auto` selects.
    """
    providers: list[str] = []
    if importlib.util.find_spec("onnxruntime"):
        import onnxruntime

        providers = onnxruntime.get_available_providers()
    return {
        "fmnist": VERSION,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "executable": sys.executable,
        "devices": _devices() if importlib.util.find_spec("torch") else [],
        "onnxruntime_providers": providers,
        "packages": {name: _version(name) for name in _PACKAGES},
    }


def _devices() -> list[dict[str, Any]]:
    import torch

    from fmnist_cli.inference import torch_devices

    devices = []
    for name in torch_devices.available():
        device, precisions, memory_bytes = torch_devices.resolve(name), [], None
        description = platform.processor() or platform.machine()
        if device.type == "cuda":
            properties = torch.cuda.get_device_properties(device)
            description, memory_bytes = properties.name, properties.total_memory
        elif device.type == "cpu":
            capability = torch.backends.cpu.get_cpu_capability()
            description += f", {usable_cores()} cores, {capability}"
        for precision in ("fp32", "bf16", "fp16"):
            with contextlib.suppress(Unavailable):
                precisions.append(torch_devices.resolve_precision(precision, device).name)
        devices.append(
            {
                "name": name,
                "description": description,
                "memory_bytes": memory_bytes,
                "precisions": precisions,
                "auto_precision": torch_devices.resolve_precision("auto", device).name,
            }
        )
    return devices


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
