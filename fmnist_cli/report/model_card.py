"""What a model file says of itself."""

from typing import Any

from fmnist_cli.inference.classifier import Classifier

_RECORDED = ("recipe", "preparation", "config", "data", "metrics", "versions", "created_at")


def describe_model(classifier: Classifier) -> dict[str, Any]:
    """Plain data under the keys that `fmnist info MODEL --format json` prints.

    What the file does not record, as an ONNX file of another program, is None.
    """
    metadata = classifier.metadata
    network = metadata.get("model") or {}
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
