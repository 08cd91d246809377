"""Weights from elsewhere, to fine-tune or to use as they are."""

import urllib.error
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, cast

from torch import Tensor, nn

from fmnist_cli import models
from fmnist_cli.checkpoints import checkpoint
from fmnist_cli.checkpoints.archive import has_metadata
from fmnist_cli.checkpoints.metadata import ModelMetadata, NetworkRecord
from fmnist_cli.checkpoints.state_dicts import read_state, without_prefix
from fmnist_cli.constants import CLASS_NAMES
from fmnist_cli.data.normalization import Normalization
from fmnist_cli.errors import CheckpointError, MissingInput, Unavailable, UsageError, did_you_mean
from fmnist_cli.models import NETWORKS
from fmnist_cli.models.own_code import is_own
from fmnist_cli.pretrained import NAME, locate

if TYPE_CHECKING:
    from fmnist_cli.models.vision import VisionNet

Stem = Literal["small", "stock"]

IMAGENET: Final = "imagenet"
_OWN_PREFIX: Final = "network."
"""Stands before torchvision's names in files of this program, whose networks have a small stem."""
_OTHER_HEAD_BYTES: Final = 64_000_000
"""More than the head for ImageNet's classes takes in any of torchvision's networks."""


def start_from(model: nn.Module, name: str, source: str) -> None:
    """Load weights into `model` (the network called `name`).

    source: `imagenet` (torchvision's own download), `pretrained`, a model file, or a file with
    weights of the same network, torchvision's included. Only a head for other classes may be left
    out. Raises MissingInput, CheckpointError, Unavailable or UsageError.
    """
    own = model.state_dict()
    if source == IMAGENET:
        state: Mapping[str, Tensor] = _imagenet(name)
    else:
        path = locate(source)
        if not path.is_file():
            hint = did_you_mean(str(path), (NAME, IMAGENET))
            raise MissingInput(
                f"no weights at '{path}'; expected a file, {NAME} or {IMAGENET}{hint}"
            )
        if has_metadata(path):
            state = checkpoint.load(path, name).model.state_dict()
        else:
            state = read_state(path, checkpoint.max_bytes(model) + _OTHER_HEAD_BYTES)
    state = _adapted(model, name, without_prefix(state, _names(own))[1])
    fitting = {
        key: value for key, value in state.items() if key in own and value.shape == own[key].shape
    }
    head = models.head_of(model)[0]
    odd = [key for key in {**state, **own} if key not in fitting and not key.startswith(f"{head}.")]
    if odd:
        raise CheckpointError(
            f"'{source}' does not fit the network '{name}': see '{odd[0]}'\n"
            "name the network that the weights belong to: --model NAME"
        )
    model.load_state_dict(fitting, strict=False)


def open_model(
    path: Path,
    network: str | nn.Module | None = None,
    *,
    normalization: Normalization | None = None,
    stem: Stem | None = None,
    classes: tuple[str, ...] | None = None,
) -> checkpoint.Checkpoint:
    """Read a model file or, if `network` names it, weights of that network without metadata.

    normalization: what weights without metadata expect of their pixels (default: what training
    the network here would use). stem: of a torchvision network; its shapes don't show the stride
    (default: `stock`, unless this program saved the weights). classes: their names by label
    (default: Fashion-MNIST's). Runs no code from the file. Raises as `checkpoint.load`, and
    UsageError for an unknown network or options that contradict the file.
    """
    if isinstance(network, str) and not has_metadata(path):
        usual = models.network(network).normalization
        return _open_bare(path, network, normalization or usual, stem, classes or CLASS_NAMES)
    loaded = checkpoint.load(path, network)
    held = loaded.metadata.network.name
    if isinstance(network, str) and network != held and not is_own(held):
        models.network(network)
        raise UsageError(f"'{path}' holds the network '{held}'; leave --model out")
    given = {"--normalization": normalization, "--stem": stem, "--classes": classes}
    for option, value in given.items():
        if value is not None:
            kind = option.removeprefix("--")
            raise UsageError(f"'{path}' records its own {kind}; leave {option} out")
    return loaded


def _open_bare(
    path: Path,
    network: str,
    normalization: Normalization,
    stem: Stem | None,
    classes: tuple[str, ...],
) -> checkpoint.Checkpoint:
    options: dict[str, float | str] = {} if stem is None else {"stem": stem}
    model = checkpoint.blank(network, options, len(classes))
    found = read_state(path, checkpoint.max_bytes(model))
    prefix, state = without_prefix(found, _names(model.state_dict()))
    read_as = f"'{path}' is read as {network}"
    if network not in NETWORKS and not is_own(network):
        if stem is None:
            stem = "small" if prefix == _OWN_PREFIX else "stock"
            options["stem"] = stem
            model = checkpoint.blank(network, options, len(classes))
        read_as += f" with the {stem} stem (--stem)"
    state = _adapted(model, network, state)
    for name, own in model.state_dict().items():  # half or double precision becomes the network's
        if name in state and own.is_floating_point() and state[name].is_floating_point():
            state[name] = state[name].to(own.dtype)
    checkpoint.fill(model, state, path)
    mean, std = normalization.mean, normalization.std
    read_as += f", pixels as (0..1 - {mean:.4g}) / {std:.4g} (--normalization)"
    metadata = ModelMetadata(NetworkRecord(network, options), normalization, classes)
    return checkpoint.Checkpoint(model.eval(), metadata, assumed=read_as)


def _names(state: Mapping[str, Tensor]) -> list[str]:
    """A network's names; torchvision's as torchvision has them."""
    return [name.removeprefix(_OWN_PREFIX) for name in state]


def _adapted(model: nn.Module, name: str, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A state dict with torchvision's names and colors fitted to the network here."""
    if name in NETWORKS or is_own(name):
        return dict(state)
    return cast("VisionNet", model).adapt(state)


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
        raise Unavailable(
            f"torchvision could not fetch the weights of '{name}': {error}\n"
            f"fetch {choices['DEFAULT'].url} elsewhere, then: --weights FILE"
        ) from None
    return state
