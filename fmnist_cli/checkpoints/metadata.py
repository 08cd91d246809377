"""The metadata of a model file: one typed record, read strictly, because a stranger may write it.

A `.pt` file keeps it as the member `metadata.json`, an `.onnx` file as an entry of its metadata.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Final, TypeVar

from fmnist_cli.constants import CLASS_NAMES
from fmnist_cli.data.images import LabeledImages
from fmnist_cli.data.normalization import Normalization
from fmnist_cli.data.splits import divide
from fmnist_cli.errors import DataError

FORMAT_VERSION: Final = 1

_MAX_DEPTH: Final = 20
_MAX_CLASSES: Final = 1_000
_MAX_NUMBER: Final = 1e30
"""A float32 holds it, and its quotient by any other number of a normalization."""
_MIN_STD: Final = 1e-30
_CHOICES: Final = (("stem", "small"), ("stem", "stock"), ("mirror", True))
_Record = TypeVar("_Record", "DataRecord", "Metrics")


class MetadataFault(Exception):  # noqa: N818 - becomes a CheckpointError once the file is known
    """What is wrong with a document: the end of a sentence that starts with its name."""


@dataclass(frozen=True, slots=True)
class NetworkRecord:
    """The network, as far as it takes to build it again."""

    name: str
    options: Mapping[str, float | str] = field(default_factory=dict)
    """Arguments of its constructor."""
    parameters: int | None = None
    macs: int | None = None
    """Multiply-accumulates for one image."""
    source_sha256: str | None = None
    """Of the file that defines a network of the user's own."""


@dataclass(frozen=True, slots=True)
class DataRecord:
    """The training data, and how its validation part was split off."""

    spec: str
    """As `--data` names it."""
    test_spec: str | None
    kind: str
    """See `fmnist_cli.data.layouts.Kind`."""
    fingerprint: str
    """Of the training split with its validation part."""
    n_train: int
    val_size: int
    split_seed: int | None
    """None if the data has a validation split of its own, the last images."""

    def describes(self, data: LabeledImages) -> bool:
        """Whether `data` is the training split that the model was trained on."""
        return data.fingerprint() == self.fingerprint

    def divide(self, data: LabeledImages) -> tuple[LabeledImages, LabeledImages]:
        """Split `data` into training and validation images, as training did.

        `data` must not be used afterwards. Raises DataError if the model was not trained on it.
        """
        if not self.describes(data):
            raise DataError(
                f"this is not the training data of the model (fingerprint {data.fingerprint()}, "
                f"recorded {self.fingerprint}), so its validation split can't be rebuilt"
            )
        return divide(data, self.val_size, self.split_seed)


@dataclass(frozen=True, slots=True)
class Metrics:
    """Scores of the epoch whose weights the file holds."""

    val_accuracy: float | None
    val_loss: float | None
    epoch: int
    """0 before the first."""
    epochs: int
    """Planned for the whole run."""
    seconds: float


@dataclass(frozen=True, slots=True)
class ModelMetadata:
    """Everything that a model file records besides tensors; docs/checkpoint.md lists the keys."""

    network: NetworkRecord
    normalization: Normalization
    classes: tuple[str, ...] = CLASS_NAMES
    """Index = label."""
    recipe: str | None = None
    config: Mapping[str, Any] | None = None
    """Every option of the run, by the names of `TrainConfig`'s fields."""
    data: DataRecord | None = None
    metrics: Metrics | None = None
    temperature: float | None = None
    """Divides the logits before softmax; None if the model is not calibrated."""
    versions: Mapping[str, str] = field(default_factory=dict)
    created_at: str | None = None
    """ISO 8601."""
    run_dir: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)
    """Other top-level entries, kept as they are."""

    def to_json(self) -> dict[str, Any]:
        """Plain JSON data under the documented keys; entries without a value are left out."""
        document = {
            "format_version": FORMAT_VERSION,
            "model": _without_none(asdict(self.network)),
            "preparation": asdict(self.normalization),
            "classes": list(self.classes),
            "recipe": self.recipe,
            "config": None if self.config is None else dict(self.config),
            "data": self.data and asdict(self.data),
            "metrics": self.metrics and asdict(self.metrics),
            "temperature": self.temperature,
            "versions": dict(self.versions),
            "created_at": self.created_at,
            "run_dir": self.run_dir,
            **self.extra,
        }
        return _without_none(document)

    @classmethod
    def from_json(cls, document: object) -> "ModelMetadata":
        """Read plain JSON data, strictly. Raises MetadataFault, also for a newer format."""
        if not isinstance(document, dict) or not _is_plain(document, _MAX_DEPTH):
            raise MetadataFault("is not a JSON object")
        rest = dict(document)
        _check_version(rest.pop("format_version", None))
        data, metrics = rest.pop("data", None), rest.pop("metrics", None)
        return cls(
            network=_network(rest.pop("model", None)),
            normalization=_normalization(rest.pop("preparation", None)),
            classes=_classes(rest.pop("classes", list(CLASS_NAMES))),
            recipe=_typed(rest, "recipe", str),
            config=_typed(rest, "config", dict),
            data=_record(DataRecord, "data", data) if data else None,
            metrics=_record(Metrics, "metrics", metrics) if metrics else None,
            temperature=_temperature(rest.pop("temperature", None)),
            versions=_typed(rest, "versions", dict) or {},
            created_at=_typed(rest, "created_at", str),
            run_dir=_typed(rest, "run_dir", str),
            extra=rest,
        )


def parse_metadata(content: str | bytes) -> ModelMetadata:
    """Read a JSON document. Raises as `ModelMetadata.from_json`."""
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        document = None
    return ModelMetadata.from_json(document)


def _check_version(version: object) -> None:
    if type(version) is not int or version < 1:
        raise MetadataFault("states no format")
    if version > FORMAT_VERSION:
        raise MetadataFault(
            f"has format {version}, but this program reads formats up to {FORMAT_VERSION}; "
            "upgrade it: pip install --upgrade fmnist-cli"
        )


def _network(value: object) -> NetworkRecord:
    """Read the network's record.

    Its options come from a stranger, and some of torchvision's would download weights or build a
    network without end: only those that training sets are accepted.
    """
    if not isinstance(value, dict) or not isinstance(value.get("name"), str):
        raise MetadataFault("names no network")
    options = value.get("options")
    if not isinstance(options, dict):
        raise MetadataFault("names no network options")
    for option, setting in options.items():
        is_known = option == "dropout" and _is_number(setting) and 0 <= setting < 1
        if not is_known and (option, setting) not in _CHOICES:
            raise MetadataFault(f"contains an unknown network option: '{option[:80]}'")
    counts = {name: value.get(name) for name in ("parameters", "macs")}
    if not all(_is_a(count, int | None) for count in counts.values()):
        raise MetadataFault("has an invalid 'model'")
    source = value.get("source_sha256")
    if not isinstance(source, str | None):
        raise MetadataFault("has an invalid 'model'")
    return NetworkRecord(value["name"], options, **counts, source_sha256=source)


def _normalization(value: object) -> Normalization:
    match value:
        case {"mean": mean, "std": std, **rest} if _is_number(mean) and _is_number(std):
            if std > _MIN_STD and not rest:
                return Normalization(float(mean), float(std))
    raise MetadataFault("states no valid normalization of the images ('preparation')")


def _classes(value: object) -> tuple[str, ...]:
    if (
        not isinstance(value, list)
        or not 2 <= len(value) <= _MAX_CLASSES
        or not all(isinstance(name, str) and name for name in value)
        or len(set(value)) < len(value)
    ):
        raise MetadataFault("has invalid 'classes'")
    return tuple(value)


def _temperature(value: object) -> float | None:
    if value is not None and (not _is_number(value) or value <= 0):  # type: ignore[operator]
        raise MetadataFault("has an invalid 'temperature'")
    return value  # type: ignore[return-value]


def _record(kind: type[_Record], name: str, value: object) -> _Record:
    """Build a record whose fields are plain values. Counts must not be negative."""
    entries = value if isinstance(value, dict) else {}
    values = {each.name: entries.get(each.name) for each in fields(kind)}
    for each in fields(kind):
        if not _is_a(values[each.name], each.type):
            raise MetadataFault(f"has an invalid '{name}': see '{each.name}'")
    return kind(**values)  # type: ignore[arg-type]


def _typed(entries: dict[str, Any], name: str, kind: type) -> Any:
    """Take an entry out; None if it is missing."""
    value = entries.pop(name, None)
    if not isinstance(value, kind | None):
        raise MetadataFault(f"has an invalid '{name}'")
    return value


def _is_a(value: object, kind: Any) -> bool:
    """Whether a value is of a type; an int is a float too, a bool is no int."""
    if type(value) is bool or (isinstance(value, int) and value < 0):
        return False
    return isinstance(value, kind) or (isinstance(value, int) and isinstance(0.0, kind))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and type(value) is not bool and abs(value) < _MAX_NUMBER


def _is_plain(value: object, depth: int) -> bool:
    """Whether JSON data nests at most `depth` levels and all its numbers are finite."""
    if isinstance(value, float):
        return math.isfinite(value)
    if not isinstance(value, dict | list):
        return True
    items = value.values() if isinstance(value, dict) else value
    return depth > 0 and all(_is_plain(item, depth - 1) for item in items)


def _without_none(document: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if value is not None}
