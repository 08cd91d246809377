"""What a model file says of itself."""

from typing import Any

from fmnist_cli.inference.classifier import Classifier

_RECORDED = (
    *("recipe", "preparation", "config", "data", "metrics", "measured", "versions", "created_at"),
)


def describe_model(classifier: Classifier) -> dict[str, Any]:
    """Plain data under the keys that `fmnist info MODEL --format json` prints.

    What the file does not record, as an ONNX file of another program, is None.
    """
    metadata = classifier.metadata.to_json() if classifier.metadata is not None else {}
    network = metadata.get("model", {})
    return {
        "model": str(classifier.path),
        "format": classifier.backend,
        "size_bytes": classifier.path.stat().st_size,
        "format_version": metadata.get("format_version"),
        "network": network.get("name"),
        "options": network.get("options"),
        "parameters": network.get("parameters"),
        "macs": network.get("macs"),
        "classes": metadata.get("classes"),
        **{name: metadata.get(name) for name in _RECORDED},
    }


def as_text(value: Any) -> str:
    """Plain data as one line; what is unset or off is left out of a record."""
    if isinstance(value, dict):
        entries = {key: entry for key, entry in value.items() if not _is_unset(entry)}
        return ", ".join(f"{key} {as_text(entry)}" for key, entry in entries.items()) or "-"
    if isinstance(value, list):
        return ", ".join(as_text(item) for item in value)
    if isinstance(value, float):
        return f"{value:.6g}"
    if value is None:
        return "-"
    return f"{value:,}" if type(value) is int else str(value)


def _is_unset(entry: Any) -> bool:
    return entry is None or entry is False or entry == {}
