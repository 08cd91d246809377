"""The computational cost of a network per image."""

import copy
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import Tensor, nn

from fmnist_cli.constants import IMAGE_SIZE

_PLAIN: Final = frozenset({nn.Conv2d, nn.Linear, nn.BatchNorm2d})
"""Layers with weights whose multiply-adds follow from the size of their output."""


def count_macs(model: nn.Module) -> int | None:
    """Multiply-accumulate operations of convolutions and linear layers for one image.

    None if a user's own network does not let itself be counted.
    """
    with_weights = {type(m) for m in model.modules() if [*m.parameters(recurse=False)]}
    try:
        return _count_by_layers(model) if with_weights <= _PLAIN else _count_by_torch(model)
    except Exception:  # noqa: BLE001 - torch's counter runs code that expects real images
        return None


def _count_by_layers(model: nn.Module) -> int:
    """Sum over the layers in one forward pass. torch's own counter takes 1 s to import."""
    return sum(
        output.numel() * layer.weight[0].numel()
        for _, layer, output in _passed(model)
        if isinstance(layer, nn.Conv2d | nn.Linear)
    )


def _count_by_torch(model: nn.Module) -> int:
    """Let torch count, which supports attention too."""
    from torch.utils.flop_counter import FlopCounterMode

    # Shapes are enough: the meta device computes nothing.
    network = copy.deepcopy(model).to("meta").eval()
    with torch.inference_mode(), FlopCounterMode(display=False) as counter:
        network(torch.empty(1, 1, IMAGE_SIZE, IMAGE_SIZE, device="meta"))
    return int(counter.get_total_flops()) // 2


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer without layers inside it, as one image passes through."""

    name: str
    type: str
    output: str
    """Shape of what it returns, [N, …]; empty if that is no tensor."""
    parameters: int


def layers_of(model: nn.Module) -> list[Layer]:
    """The layers of a network in the order in which they compute; the unused are left out."""
    found = []
    for name, layer, output in _passed(model):
        sizes = ", ".join(map(str, output.shape[1:])) if isinstance(output, Tensor) else ""
        own = sum(parameter.numel() for parameter in layer.parameters())
        found.append(Layer(name, type(layer).__name__, sizes and f"[N, {sizes}]", own))
    return found


def _passed(model: nn.Module) -> list[tuple[str, nn.Module, Any]]:
    """The layers that one image passes, with their names and what they return."""
    network = copy.deepcopy(model).cpu().eval()
    passed: list[tuple[str, nn.Module, Any]] = []
    for name, layer in network.named_modules():
        if not [*layer.children()]:
            layer.register_forward_hook(
                lambda layer, _inputs, output, name=name: passed.append((name, layer, output))
            )
    with torch.inference_mode():
        network(torch.zeros(1, 1, IMAGE_SIZE, IMAGE_SIZE))
    return passed
