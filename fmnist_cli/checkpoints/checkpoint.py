"""Model files: plain data, written whole or not at all, read without running code.

A `.pt` file is the zip that `torch.save` writes, with two members added beside the tensors:

* `metadata.json`: everything but tensors, readable without torch (`archive.read_metadata`);
* `trained_on.bin`: digests of the training images, unless the data is the official split.

The pickle holds `{"state_dict": {...}}` of the uncompiled, unwrapped network, and in a run's
`last.pt` also `{"training": {...}}` (optimizer, schedule, position: what `--resume` needs).
"""

import io
import json
import logging
import shlex
import warnings
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor, nn

from fmnist_cli import models
from fmnist_cli.checkpoints.archive import DIGESTS_MEMBER, METADATA_MEMBER, Archive, open_archive
from fmnist_cli.checkpoints.metadata import ModelMetadata
from fmnist_cli.checkpoints.pickle_scan import IGNORED_NAMES, MAX_PICKLE_BYTES, Ignored, scan
from fmnist_cli.errors import CheckpointError, FmnistError, UsageError, in_one_line
from fmnist_cli.files import atomic_write
from fmnist_cli.models import own, own_code

_LOG: Final = logging.getLogger(__name__)
_ROOT: Final = "archive"
"""Directory inside the zip that torch.save uses when it writes to a stream."""
_MAX_FACTOR: Final = 10
"""How many times its network's size a file may hold: the weights, their average, the best of them,
two values per weight that an optimizer keeps, and as much again to be safe."""
_SPARE_BYTES: Final = 16_000_000
"""What any file may hold."""
_MAX_ORDER_BYTES: Final = 10


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A model that was read from a file."""

    model: nn.Module
    """In evaluation mode, on the CPU."""
    metadata: ModelMetadata
    training: dict[str, Any] | None = field(default=None, repr=False)
    """State of a run; None in other files."""
    assumed: str = ""
    """What had to be assumed about weights without metadata, as a sentence."""


def save(
    path: Path,
    state_dict: Mapping[str, Tensor],
    metadata: ModelMetadata,
    *,
    training: Mapping[str, Any] | None = None,
    digests: bytes = b"",
) -> None:
    """Write a model file, whole or not at all.

    Raises OutputError or StorageError; an existing file at `path` is then untouched.
    """
    content: dict[str, Any] = {
        "state_dict": {name: tensor.detach().cpu() for name, tensor in state_dict.items()}
    }
    if training is not None:
        content["training"] = training
    stream = io.BytesIO()
    torch.save(content, stream)
    document = json.dumps(metadata.to_json(), ensure_ascii=False, allow_nan=False)
    with zipfile.ZipFile(stream, "a", zipfile.ZIP_STORED) as archive:
        archive.writestr(f"{_ROOT}/{METADATA_MEMBER}", document)
        if digests:
            archive.writestr(f"{_ROOT}/{DIGESTS_MEMBER}", digests)
    with atomic_write(path) as temporary:
        temporary.write_bytes(stream.getbuffer())


def load(path: Path, network: str | nn.Module | None = None) -> Checkpoint:
    """Read a model file and rebuild its network, in evaluation mode.

    network: that of the user's own that the file was trained with, as `--model` names it or built.
    Runs no code from the file, and takes memory only for what its network needs. Raises
    MissingInput if there is no such file, CheckpointError if it is damaged, foreign, of a newer
    format, or does not fit the network that it names, and UsageError if that is the user's own and
    `network` is missing.
    """
    with open_archive(path) as archive:
        metadata = archive.metadata()
        model = _network(path, metadata, network)
        content = read_content(archive, max_bytes(model))
    if not isinstance(content, dict):
        raise CheckpointError(f"'{path}' does not hold a model's weights")
    fill(model, content.get("state_dict"), path)
    return Checkpoint(model.eval(), metadata, content.get("training"))


def load_training(path: Path, network: str | nn.Module | None = None) -> Checkpoint:
    """Read a run's `last.pt`. Raises CheckpointError for a file without training state."""
    loaded = load(path, network)
    if not isinstance(loaded.training, dict):
        raise CheckpointError(
            f"'{path}' holds a model but no training state; expected a run's last.pt"
        )
    return loaded


def _network(path: Path, metadata: ModelMetadata, given: str | nn.Module | None) -> nn.Module:
    """The network that a file is of, without its weights."""
    recorded = metadata.network
    if isinstance(given, nn.Module):
        own.check(given, len(metadata.classes), recorded.name)
        return given
    if not own_code.is_own(recorded.name):
        try:
            return blank(recorded.name, recorded.options, len(metadata.classes))
        except FmnistError as error:
            raise CheckpointError(
                f"'{path}' names a network that can't be built: {error}"
            ) from None
    if given is None or not own_code.is_own(given):
        name = in_one_line(recorded.name)
        if own_code.is_built_in_python(name):
            raise UsageError(
                f"'{path}' holds a network that a Python program built: {name}\n"
                "write a class with the same layers into a file and name it: --model FILE.py:CLASS"
            )
        raise UsageError(
            f"'{path}' needs the code of its network, which a model file doesn't contain\n"
            f"to run that code, name it: --model {in_one_line(shlex.quote(recorded.name))}"
        )
    network = blank(given, recorded.options, len(metadata.classes))
    if recorded.source_sha256 not in (None, own_code.digest(given)):
        _LOG.warning("'%s' has changed since '%s' was trained", given.rpartition(":")[0], path)
    return network


def blank(name: str, options: Mapping[str, Any], num_classes: int) -> nn.Module:
    """Build a network without memory for its weights, and without initializing them: see `fill`.

    One of the user's own is built as they wrote it. Raises UsageError for an unknown network or
    option.
    """
    if own_code.is_own(name):
        return models.build(name, num_classes, **options)
    with torch.device("meta"):
        return models.build(name, num_classes, **options)


def fill(network: nn.Module, state: object, path: Path) -> None:
    """Give a blank network its weights: names, shapes and dtypes exactly its own, all finite.

    Raises CheckpointError for anything that does not fit.
    """
    expected = network.state_dict()
    found = state if isinstance(state, dict) else {}
    for names, fault in (
        (expected.keys() - found.keys(), "is missing"),
        (found.keys() - expected.keys(), "is not part of the network"),
    ):
        if names:
            first, more = min(map(str, names))[:200], len(names) - 1
            others = f" ({more:,} more)" if more else ""
            raise CheckpointError(
                f"'{path}' holds other weights than those of its network: '{first}' {fault}{others}"
            )
    for name, tensor in expected.items():
        value = found[name]
        is_tensor = isinstance(value, Tensor)
        if not is_tensor or (value.shape, value.dtype) != (tensor.shape, tensor.dtype):
            held = [*value.shape] if is_tensor else type(value).__name__
            raise CheckpointError(
                f"'{path}' does not fit its network: '{name}' is {held}, "
                f"expected {tensor.dtype} of shape {list(tensor.shape)}"
            )
        if value.is_floating_point() and not value.isfinite().all():
            raise CheckpointError(f"'{path}': '{name}' holds values that are not finite")
    network.load_state_dict(
        {name: _plain_strides(found[name].detach()) for name in expected}, assign=True
    )


def _plain_strides(value: Tensor) -> Tensor:
    """The tensor in rows.

    Channels-last weights of one channel count as contiguous, but make a convolution give
    channels-last features.
    """
    is_plain = value.is_contiguous() and (value.dim() != 4 or value.shape[1] != 1)
    return value if is_plain else value.clone(memory_format=torch.contiguous_format)


def max_bytes(network: nn.Module) -> int:
    """What the tensors of a file of that network may take together."""
    own: int = sum(tensor.nbytes for tensor in network.state_dict().values())
    return _MAX_FACTOR * own + _SPARE_BYTES


def read_content(archive: Archive, max_bytes: int) -> object:
    """What a file's pickle holds: plain containers, plain values and tensors on the CPU.

    max_bytes: what all its tensors may take together. torch is given a new archive of the checked
    members, so it reads exactly what was checked. Raises CheckpointError.
    """
    path = archive.path
    pickle = archive.read("data.pkl", MAX_PICKLE_BYTES)
    storages = scan(pickle, str(path))
    for key, size in storages.items():
        if archive.size(f"data/{key}") != size:
            raise CheckpointError(f"'{path}' is damaged: its tensors have other sizes than stated")
    if sum(storages.values()) > max_bytes:
        raise CheckpointError(f"'{path}' holds far more values than its network has")
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as checked:
        checked.writestr(f"{_ROOT}/data.pkl", pickle)
        checked.writestr(f"{_ROOT}/version", "3\n")
        if "byteorder" in archive:
            checked.writestr(f"{_ROOT}/byteorder", archive.read("byteorder", _MAX_ORDER_BYTES))
        for key, size in storages.items():
            checked.writestr(f"{_ROOT}/data/{key}", archive.read(f"data/{key}", size))
    stream.seek(0)
    try:
        ignored: Any = [(Ignored, name.replace(" ", ".")) for name in IGNORED_NAMES]
        with warnings.catch_warnings(), torch.serialization.safe_globals(ignored):
            warnings.simplefilter("ignore")
            content = torch.load(stream, map_location="cpu", weights_only=True)
    except Exception as error:  # noqa: BLE001 - a forged pickle can make torch raise anything
        reason = str(error).partition("\n")[0][:200]
        raise CheckpointError(f"'{path}' is damaged: torch can't read it: {reason}") from None
    _check_sizes(content, path)
    return content


def _check_sizes(content: object, path: Path) -> None:
    """Raise CheckpointError for expanded tensors.

    They show one stored value many times: a small file could fill the memory.
    """
    pending, seen = [content], set()
    while pending:
        item = pending.pop()
        if id(item) in seen:  # a container may be referred to again and again
            continue
        seen.add(id(item))
        if isinstance(item, Tensor):
            if item.numel() * item.itemsize > item.untyped_storage().nbytes():
                raise CheckpointError(f"'{path}' is damaged: a tensor is larger than its values")
        elif isinstance(item, dict | list | tuple):
            pending += item.values() if isinstance(item, dict) else item
