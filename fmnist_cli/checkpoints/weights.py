"""Weights from elsewhere: where a run starts from, and networks that are used as they came."""

import urllib.error
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from torch import Tensor, nn

from fmnist_cli import models
from fmnist_cli.checkpoints import checkpoint
from fmnist_cli.checkpoints.archive import METADATA_MEMBER, ZIP_MAGIC, open_archive
from fmnist_cli.checkpoints.metadata import ModelMetadata, NetworkRecord
from fmnist_cli.checkpoints.sniff import describe
from fmnist_cli.errors import CheckpointError, MissingInput, Unavailable, UsageError, did_you_mean
from fmnist_cli.models import NETWORKS
from fmnist_cli.pretrained import NAME, locate, no_model

if TYPE_CHECKING:
    from fmnist_cli.models.vision import VisionNet

IMAGENET: Final = "imagenet"
_OTHER_HEAD_BYTES: Final = 64_000_000
"""More than the head for ImageNet's classes takes in any of torchvision's networks."""


def start_from(model: nn.Module, name: str, source: str) -> list[str]:
    """Load weights into `model` (the network called `name`); gives the parts that stay fresh.

    source: `imagenet` (torchvision's own download), `pretrained`, one of our model files, or a file
    with a plain state dict of the same network, torchvision's included. Only a head for other
    classes may be left out. Raises MissingInput, CheckpointError, Unavailable or UsageError.
    """
    if source == IMAGENET:
        state: Mapping[str, Tensor] = _imagenet(name)
    else:
        state = _from_file(locate(source), checkpoint.size_bytes(model) + _OTHER_HEAD_BYTES)
    if name not in NETWORKS and not any(key.startswith("network.") for key in state):
        state = cast("VisionNet", model).adapt(state)
    return _fill(model, state, name, source)


def open_model(path: Path, network: str | None = None) -> checkpoint.Checkpoint:
    """Read a model file of ours or, where `network` names it, a bare state dict of that network.

    A bare one gets the default normalization of its network. Runs no code from the file. Raises as
    `checkpoint.load`, and UsageError for an unknown network or one that the file contradicts.
    """
    if network is None:
        return checkpoint.load(path)
    entry = models.network(network)
    if not path.is_file():
        raise no_model(path)
    if _is_from_fmnist(path):
        loaded = checkpoint.load(path)
        if loaded.metadata.network.name != network:
            raise UsageError(
                f"'{path}' holds the network '{loaded.metadata.network.name}'; leave --model out"
            )
        return loaded
    model = checkpoint.blank(network, {})
    state = _plain_state(path, 2 * checkpoint.size_bytes(model) + checkpoint.SPARE_BYTES)
    if network not in NETWORKS and not any(key.startswith("network.") for key in state):
        state = {f"network.{key}": tensor for key, tensor in state.items()}
    checkpoint.fill(model, state, path)
    metadata = ModelMetadata(NetworkRecord(network), entry.normalization)
    return checkpoint.Checkpoint(model.eval(), metadata)


def _imagenet(name: str) -> Mapping[str, Tensor]:
    import torchvision

    try:
        choices = torchvision.models.get_model_weights(name)
    except ValueError:
        raise UsageError(
            f"--weights imagenet needs a torchvision --model such as resnet18, not '{name}'"
        ) from None
    try:
        state: dict[str, Tensor] = choices["DEFAULT"].get_state_dict(
            progress=False, check_hash=True
        )
    except (urllib.error.URLError, TimeoutError) as error:
        raise Unavailable(f"torchvision could not fetch the weights of '{name}': {error}") from None
    return state


def _from_file(path: Path, max_bytes: int) -> dict[str, Tensor]:
    """A state dict from a model file, or from a plain one. Runs no code from the file."""
    if not path.is_file():
        hint = did_you_mean(str(path), (NAME, IMAGENET))
        raise MissingInput(f"no weights at '{path}'; expected a file, {NAME} or {IMAGENET}{hint}")
    if _is_from_fmnist(path):
        return checkpoint.load(path).model.state_dict()
    return _plain_state(path, max_bytes)


def _plain_state(path: Path, max_bytes: int) -> dict[str, Tensor]:
    """The tensors of a plain state dict, by their names without a wrapper's prefix."""
    with open_archive(path) as archive:
        content = checkpoint.read_content(archive, checkpoint.scan_content(archive), max_bytes)
    if not isinstance(content, dict) or not all(
        isinstance(key, str) and isinstance(tensor, Tensor) for key, tensor in content.items()
    ):
        raise CheckpointError(f"'{path}' holds no plain state dict (names with tensors)")
    return {key.removeprefix("module."): tensor for key, tensor in content.items()}


def _is_from_fmnist(path: Path) -> bool:
    """Whether a file has metadata. Raises CheckpointError for a damaged or foreign one."""
    with path.open("rb") as file:
        if not file.read(len(ZIP_MAGIC)).startswith(ZIP_MAGIC):
            raise CheckpointError(f"'{path}' does not hold weights: {describe(path)}")
    with open_archive(path) as archive:
        return METADATA_MEMBER in archive


def _fill(model: nn.Module, state: Mapping[str, Tensor], name: str, source: str) -> list[str]:
    own = model.state_dict()
    head = [key for key in own if _is_in_head(model, key)]
    missing = [key for key in own if key not in state]
    foreign = [key for key in state if key not in own]
    wrong = [key for key in own if key in state and own[key].shape != state[key].shape]
    if foreign or wrong or any(key not in head for key in missing):
        odd = (foreign or wrong or missing)[0]
        raise CheckpointError(
            f"'{source}' does not fit the network '{name}': see '{odd}'\n"
            "name the network that its weights are of: --model NAME"
        )
    model.load_state_dict(dict(state), strict=False)
    return missing


def _is_in_head(model: nn.Module, key: str) -> bool:
    prefix = next(name for name, module in model.named_modules() if module is model.head)
    return key.startswith(f"{prefix}.")
