"""Model files: versioned plain data, written whole or not at all, read without running code.

A `.pt` file is the zip that `torch.save` writes, with members of ours beside the tensors:

* `metadata.json`: everything but tensors, readable without torch (`read_metadata`);
* `trained_on.bin`: digests of the training images, where the data is not the official split.

The pickled part is `{"state_dict": {...}}` of the uncompiled, unwrapped network, and in a run's
`last.pt` also `{"training": {...}}` (optimiser, schedule, position: what `--resume` needs).
"""

import io
import json
import pickle
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor, nn

from fmnist_cli import models
from fmnist_cli.data.preparation import Preparation
from fmnist_cli.engine.container import (
    DIGESTS_MEMBER,
    FORMAT_VERSION,
    METADATA_MEMBER,
    open_container,
    read_metadata,
)
from fmnist_cli.errors import CheckpointError, FmnistError
from fmnist_cli.files import atomic_write

__all__ = ["Checkpoint", "fill", "load", "load_training", "read_metadata", "save"]

_ROOT: Final = "archive"
"""Folder inside the zip that torch.save uses when it writes to a stream."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A model that was read from a file."""

    model: nn.Module
    """In evaluation mode, on the CPU."""
    preparation: Preparation
    metadata: dict[str, Any]
    """Plain JSON data; see docs/checkpoint.md."""
    training: dict[str, Any] | None = field(default=None, repr=False)
    """State of a run, in its `last.pt`."""


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

    Runs no code from the file. Raises MissingInput where there is no file and CheckpointError where
    it is damaged, foreign, of a newer format, or does not fit the network that it names.
    """
    metadata = read_metadata(path)
    content = _load_tensors(path)
    try:
        entry = metadata["model"]
        with torch.device("meta"):  # no memory and no random numbers for weights to be replaced
            model = models.build(entry["name"], **entry["options"])
        preparation = Preparation(**metadata["preparation"])
    except (FmnistError, TypeError, KeyError) as error:
        raise CheckpointError(f"'{path}' names a network that can't be built: {error}") from None
    fill(model, content.get("state_dict"), path)
    return Checkpoint(model.eval(), preparation, metadata, content.get("training"))


def load_training(path: Path) -> Checkpoint:
    """Read a run's `last.pt`. Raises CheckpointError for a file that holds no training state."""
    checkpoint = load(path)
    if checkpoint.training is None:
        raise CheckpointError(
            f"'{path}' holds a model but no training state; expected a run's last.pt"
        )
    return checkpoint


def _load_tensors(path: Path) -> dict[str, Any]:
    with open_container(path):  # refuses what is not a sound container before torch sees it
        pass
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, ValueError, EOFError, KeyError) as error:
        first_line = str(error).strip().partition("\n")[0]
        raise CheckpointError(f"'{path}' can't be read as tensors: {first_line}") from None
    if not isinstance(content, dict):
        raise CheckpointError(f"'{path}' does not hold a model's weights")
    return content


def fill(model: nn.Module, state: object, path: Path) -> None:
    """Load weights whose names, shapes and dtypes are exactly the network's, all finite.

    Raises CheckpointError for others; `path` names their file in the error.
    """
    expected = model.state_dict()
    if not isinstance(state, dict) or state.keys() != expected.keys():
        raise CheckpointError(f"'{path}' holds other weights than those of its network")
    for name, tensor in expected.items():
        given = state[name]
        if not isinstance(given, Tensor) or (given.shape, given.dtype) != (
            tensor.shape,
            tensor.dtype,
        ):
            raise CheckpointError(
                f"'{path}': '{name}' is not {tensor.dtype} of shape {list(tensor.shape)}"
            )
        if given.is_floating_point() and not given.isfinite().all():
            raise CheckpointError(f"'{path}': '{name}' holds values that are not finite")
    model.load_state_dict(state, assign=True)
