"""Weights from elsewhere: where a run starts from, and networks that are used as they came."""

import pickle
import urllib.error
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor, nn

from fmnist_cli import models
from fmnist_cli.engine import checkpoint
from fmnist_cli.engine.container import FORMAT_VERSION, METADATA_MEMBER, open_container
from fmnist_cli.engine.pickles import whole_model
from fmnist_cli.errors import CheckpointError, MissingInput, Unavailable, UsageError, did_you_mean
from fmnist_cli.facts import CLASS_NAMES
from fmnist_cli.models import NETWORKS
from fmnist_cli.pretrained import NAME, locate, no_model

if TYPE_CHECKING:
    from fmnist_cli.models.vision import VisionNet

IMAGENET = "imagenet"


def start_from(model: nn.Module, name: str, source: str) -> list[str]:
    """Load weights into `model` (the network called `name`); gives the parts that stay fresh.

    source: `imagenet` (torchvision's own download), `pretrained`, one of our model files, or a file
    with a plain state dict of the same network, torchvision's included. Only a head for other
    classes may be left out. Raises MissingInput, CheckpointError, Unavailable or UsageError.
    """
    state = _imagenet(name) if source == IMAGENET else _from_file(locate(source))
    if name not in NETWORKS and not any(key.startswith("network.") for key in state):
        state = cast("VisionNet", model).adapt(state)
    return _fill(model, state, name, source)


def open_model(path: Path, network: str | None = None) -> checkpoint.Checkpoint:
    """Read a model file of ours or, where `network` names it, a bare state dict of that network.

    A bare one gets the default preparation of its network. Runs no code from the file. Raises as
    `checkpoint.load`, and UsageError for an unknown network or one that the file contradicts.
    """
    if network is None:
        return checkpoint.load(path)
    entry = models.network(network)
    if not path.is_file():
        raise no_model(path)
    if _is_ours(path):
        loaded = checkpoint.load(path)
        if loaded.metadata["model"]["name"] != network:
            raise UsageError(
                f"'{path}' holds the network '{loaded.metadata['model']['name']}'; "
                "leave --model out"
            )
        return loaded
    state: Mapping[str, Tensor] = _from_file(path)
    with torch.device("meta"):  # the weights are all replaced
        model = models.build(network)
    if network not in NETWORKS and not any(key.startswith("network.") for key in state):
        state = {f"network.{key}": tensor for key, tensor in state.items()}
    checkpoint.fill(model, state, path)
    mean, std = entry.preparation.mean, entry.preparation.std
    metadata = {
        "format_version": FORMAT_VERSION,
        "model": {"name": network, "options": {}},
        "preparation": {"mean": mean, "std": std},
        "classes": list(CLASS_NAMES),
    }
    return checkpoint.Checkpoint(model.eval(), entry.preparation, metadata)


def freeze_backbone(model: nn.Module) -> None:
    """Keep everything but the head as it is."""
    model.requires_grad_(requires_grad=False)
    head = model.head
    assert isinstance(head, nn.Module)
    head.requires_grad_(requires_grad=True)


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


def _from_file(path: Path) -> dict[str, Tensor]:
    """A state dict from one of our files, or from a plain one. Runs no code from the file."""
    if not path.is_file():
        hint = did_you_mean(str(path), (NAME, IMAGENET))
        raise MissingInput(f"no weights at '{path}'; expected a file, {NAME} or {IMAGENET}{hint}")
    if _is_ours(path):
        return checkpoint.load(path).model.state_dict()
    try:
        content: Any = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, ValueError, EOFError, KeyError):
        raise CheckpointError(whole_model(str(path), "or it is damaged")) from None
    if not isinstance(content, dict) or not all(isinstance(v, Tensor) for v in content.values()):
        raise CheckpointError(f"'{path}' holds no plain state dict (names with tensors)")
    return {str(key).removeprefix("module."): tensor for key, tensor in content.items()}


def _is_ours(path: Path) -> bool:
    """Whether a file has our metadata. Raises CheckpointError for a damaged or dangerous zip."""
    if not zipfile.is_zipfile(path):
        return False  # torch's format of old, which its own loader reads
    with open_container(path) as archive:
        return any(name.endswith(f"/{METADATA_MEMBER}") for name in archive.namelist())


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
