"""The available networks and the normalization that each expects."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from torch import nn

from fmnist_cli.constants import NUM_CLASSES
from fmnist_cli.data.normalization import Normalization
from fmnist_cli.errors import UsageError, did_you_mean
from fmnist_cli.models import convnet, own
from fmnist_cli.models.convnet import ConvNet
from fmnist_cli.models.own_code import is_own, load_class
from fmnist_cli.models.resnet import WideResNet
from fmnist_cli.models.tutorial import TutorialNet


@dataclass(frozen=True, slots=True)
class Network:
    """How to build a network, and the normalization of its input."""

    build: Callable[..., nn.Module]
    normalization: Normalization = Normalization.STANDARD


NETWORKS: Final[Mapping[str, Network]] = {
    "tutorial": Network(TutorialNet, Normalization.RAW),  # the course's two convolutions
    "convnet": Network(ConvNet),
    "convnet-small": Network(partial(ConvNet, convnet.SMALL)),
    "convnet-compact": Network(partial(ConvNet, convnet.COMPACT)),
    "wideresnet": Network(WideResNet),
}
"""This package's own networks; torchvision's are looked up by name."""


def network(name: str) -> Network:
    """The network called `name`: this package's own, torchvision's, or `FILE.py:CLASS`.

    The latter runs the user's file. Raises UsageError, with a suggestion, for an unknown name.
    """
    if is_own(name):
        load_class(name)
        return Network(partial(own.build, name), Normalization.RAW)
    if name in NETWORKS:
        return NETWORKS[name]
    from fmnist_cli.models import vision  # torchvision is slow to import

    if name in vision.names():
        return Network(partial(vision.VisionNet, name))
    if name.endswith(".py"):
        raise UsageError(f"'{name}' is a file; name its class too: --model {name}:CLASS")
    hint = did_you_mean(name, [*NETWORKS, *vision.names()])
    raise UsageError(
        f"unknown network '{name}'; expected {', '.join(NETWORKS)}, a torchvision name or "
        f"FILE.py:CLASS{hint}"
    )


def build(name: str, num_classes: int = NUM_CLASSES, **options: Any) -> nn.Module:
    """Build a network with new weights; `options` go to its constructor."""
    try:
        return network(name).build(num_classes=num_classes, **options)
    except TypeError as error:
        if "unexpected keyword argument" not in str(error):
            raise
        refused = str(error).rpartition("argument ")[2].strip("'").replace("_", "-")
        raise UsageError(f"the network '{name}' has no option --{refused}") from None


def head_of(model: nn.Module) -> tuple[str, nn.Module]:
    """The last layer, with its name: what the network calls its head, or its last linear layer.

    Raises UsageError if it has neither.
    """
    layers = dict(model.named_modules())
    heads = [name for name, layer in layers.items() if isinstance(layer, nn.Linear)]
    if "head" in layers:
        heads.append("head")
    if not heads:
        raise UsageError("the network has no linear layer and no 'head', so its last is unknown")
    return heads[-1], layers[heads[-1]]


def count_parameters(model: nn.Module) -> int:
    """Number of parameters."""
    return sum(parameter.numel() for parameter in model.parameters())
