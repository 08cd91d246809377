"""Model files: versioned plain data, written whole or not at all, read without running code.

A `.pt` file is the zip that `torch.save` writes, with members of ours beside the tensors:

* `metadata.json`: everything but tensors, readable without torch (`read_metadata`);
* `trained_on.bin`: digests of the training images, where the data is not the official split.

The pickled part is `{"state_dict": {...}}` of the uncompiled, unwrapped network, and in a run's
`last.pt` also `{"training": {...}}` (optimizer, schedule, position: what `--resume` needs).
"""

import dataclasses
import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor, nn

from fmnist_cli import models
from fmnist_cli.checkpoints.container import (
    DIGESTS_MEMBER,
    METADATA_MEMBER,
    Container,
    open_container,
    read_metadata,
)
from fmnist_cli.checkpoints.metadata import FORMAT_VERSION, MetadataFault, parse_network
from fmnist_cli.checkpoints.pickles import TensorRecord
from fmnist_cli.checkpoints.tensors import InZip, Reader, Storages, dtype_of
from fmnist_cli.data.normalization import Normalization
from fmnist_cli.errors import CheckpointError, FmnistError
from fmnist_cli.files import atomic_write

__all__ = ["Checkpoint", "blank", "fill", "load", "load_training", "read_metadata", "save"]

_ROOT: Final = "archive"
"""Folder inside the zip that torch.save uses when it writes to a stream."""
_WEIGHTS_FACTOR: Final = 2
_TRAINING_FACTOR: Final = 10
"""How many times its network's size a file's weights may take, and the state of its training: the
weights, their average, the best of them and two values an optimizer keeps for each."""
_SPARE_BYTES: Final = 16_000_000
"""What either may take in any case."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A model that was read from a file."""

    model: nn.Module
    """In evaluation mode, on the CPU."""
    normalization: Normalization
    metadata: dict[str, Any]
    """Plain JSON data; see docs/checkpoint.md."""
    training: dict[str, Any] | None = field(default=None, repr=False)
    """State of a run, where `load_training` has read it."""


def save(
    path: Path,
    state_dict: Mapping[str, Tensor],
    metadata: Mapping[str, Any],
    *,
    training: Mapping[str, Any] | None = None,
    digests: bytes = b"",
) -> None:
    """Write a model file, whole or not at all.

    Raises OutputError or StorageError; the file that stood at `path` is then untouched.
    """
    content: dict[str, Any] = {
        "state_dict": {name: tensor.detach().cpu() for name, tensor in state_dict.items()}
    }
    if training is not None:
        content["training"] = training
    stream = io.BytesIO()
    torch.save(content, stream)
    document = {"format_version": FORMAT_VERSION, **metadata}
    with zipfile.ZipFile(stream, "a", zipfile.ZIP_STORED) as archive:
        archive.writestr(f"{_ROOT}/{METADATA_MEMBER}", json.dumps(document, ensure_ascii=False))
        if digests:
            archive.writestr(f"{_ROOT}/{DIGESTS_MEMBER}", digests)
    with atomic_write(path) as temporary:
        temporary.write_bytes(stream.getbuffer())


def load(path: Path) -> Checkpoint:
    """Read a model file and rebuild its network, in evaluation mode.

    Runs no code from the file, and takes memory for nothing but the network's weights. Raises
    MissingInput where there is no file and CheckpointError where it is damaged, foreign, of a newer
    format, or does not fit the network that it names.
    """
    with open_container(path) as container:
        return _read(container)[0]


def load_training(path: Path) -> Checkpoint:
    """Read a run's `last.pt`. Raises CheckpointError for a file that holds no training state."""
    with open_container(path) as container:
        checkpoint, content = _read(container)
        if not isinstance(content.get("training"), dict):
            raise CheckpointError(
                f"'{path}' holds a model but no training state; expected a run's last.pt"
            )
        most_bytes = _TRAINING_FACTOR * _size(checkpoint.model) + _SPARE_BYTES
        training = Reader(InZip(container), most_bytes).tree(content["training"])
        return dataclasses.replace(checkpoint, training=training)


def _read(container: Container) -> tuple[Checkpoint, dict[str, Any]]:
    """The model of a file, and all that its pickle holds, tensors unread."""
    path = container.path
    content = container.content()  # first, for it tells a whole pickled network
    metadata = container.metadata()
    try:
        name, options, normalization = parse_network(metadata)
        network = blank(name, options)
    except (MetadataFault, FmnistError) as error:
        raise CheckpointError(f"'{path}' names a network that can't be built: {error}") from None
    if not isinstance(content, dict):
        raise CheckpointError(f"'{path}' does not hold a model's weights")
    fill(network, content.get("state_dict"), InZip(container))
    return Checkpoint(network.eval(), normalization, metadata), content


def blank(name: str, options: Mapping[str, Any]) -> nn.Module:
    """Build a network without memory for its weights, and without drawing them: `fill` gives them.

    Raises UsageError for a network or an option that there is not.
    """
    with torch.device("meta"):
        return models.build(name, **options)


def fill(network: nn.Module, state: object, storages: Storages) -> None:
    """Read weights into a blank network: names, shapes and dtypes exactly its own, all finite.

    state: a TensorRecord by each name. All that can be told without the values is checked before
    memory is taken for them. Raises CheckpointError where something does not fit.
    """
    path = storages.path
    expected = network.state_dict()
    if not isinstance(state, dict) or state.keys() != expected.keys():
        raise CheckpointError(f"'{path}' holds other weights than those of its network")
    for name, tensor in expected.items():
        record = state[name]
        if not isinstance(record, TensorRecord) or (record.shape, dtype_of(record)) != (
            tuple(tensor.shape),
            tensor.dtype,
        ):
            raise CheckpointError(
                f"'{path}': '{name}' is not {tensor.dtype} of shape {list(tensor.shape)}"
            )
    reader = Reader(storages, _WEIGHTS_FACTOR * _size(network) + _SPARE_BYTES)
    weights = {}
    for name, record in state.items():
        weights[name] = reader.tensor(record)
        if weights[name].is_floating_point() and not weights[name].isfinite().all():
            raise CheckpointError(f"'{path}': '{name}' holds values that are not finite")
    network.load_state_dict(weights, assign=True)


def _size(network: nn.Module) -> int:
    """Bytes of a network's parameters and buffers."""
    return sum(tensor.nbytes for tensor in network.state_dict().values())
