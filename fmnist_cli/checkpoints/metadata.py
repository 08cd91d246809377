"""What a model file says of itself, as far as its form can be relied on.

A `.pt` keeps this JSON document as a member, an `.onnx` as an entry of its metadata. Whoever made
the file wrote it: the parts that the program uses have the types here, or the file is refused.
"""

import json
from typing import Any, Final

from fmnist_cli.data.normalization import Normalization

FORMAT_VERSION: Final = 1

_PARTS: Final = ("model", "preparation", "config", "data", "metrics", "versions")
_MAX_DEPTH: Final = 20
_OPTIONS: Final = ("dropout",)
"""Options of networks that training sets, each a probability."""


_LARGEST: Final = 1e30
"""A float32 holds it, and its quotient by any other number of a normalization."""


class MetadataFault(Exception):  # noqa: N818 - becomes a CheckpointError where the file is known
    """What is wrong with a document; completes a sentence that it begins."""


def parse_metadata(content: str | bytes) -> dict[str, Any]:
    """Read a document. Raises MetadataFault where it is of another form, or of a newer one."""
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict) or _is_deeper(document, _MAX_DEPTH):
        raise MetadataFault("is not a JSON object")
    version = document.get("format_version")
    if type(version) is not int or version < 1:
        raise MetadataFault("states no format")
    if version > FORMAT_VERSION:
        raise MetadataFault(
            f"has format {version}, this program reads up to {FORMAT_VERSION}; "
            "a newer fmnist is needed: pip install --upgrade fmnist-cli"
        )
    for part in _PARTS:
        if not isinstance(document.get(part, {}), dict):
            raise MetadataFault(f"has another form: '{part}' is not a JSON object")
    return document


def parse_network(document: dict[str, Any]) -> tuple[str, dict[str, float], Normalization]:
    """Name and options of a document's network, and the normalization of its images.

    Raises MetadataFault where they are of another form: names of options come from a stranger, and
    some of torchvision's would fetch weights or build a network without end.
    """
    network, normalization = document.get("model", {}), document.get("preparation", {})
    name, options = network.get("name"), network.get("options")
    if not isinstance(name, str) or not isinstance(options, dict):
        raise MetadataFault("names no network")
    for option, value in options.items():
        if option not in _OPTIONS or not _is_number(value) or not 0 <= value < 1:
            raise MetadataFault(f"has an option of the network that is none: '{option[:80]}'")
    mean, std = normalization.get("mean"), normalization.get("std")
    if normalization.keys() != {"mean", "std"} or not (_is_number(mean) and _is_number(std)):
        raise MetadataFault("states no normalization of the images")
    if std <= 0:
        raise MetadataFault("states no normalization of the images: its std is not above 0")
    return name, options, Normalization(float(mean), float(std))


def _is_number(value: object) -> bool:
    """Whether it is a finite number that a float holds."""
    return isinstance(value, int | float) and type(value) is not bool and abs(value) < _LARGEST


def _is_deeper(value: object, depth: int) -> bool:
    if not isinstance(value, dict | list):
        return False
    items = value.values() if isinstance(value, dict) else value
    return depth == 0 or any(_is_deeper(item, depth - 1) for item in items)
