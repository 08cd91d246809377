"""Parts of a network that are not trained."""

from torch import nn

from fmnist_cli import models


def freeze_backbone(model: nn.Module) -> None:
    """Freeze everything but the head."""
    model.requires_grad_(requires_grad=False)
    models.head_of(model)[1].requires_grad_(requires_grad=True)


def stem_of(model: nn.Module) -> list[nn.Module]:
    """The first layer that has weights, and the norm that follows it, if any."""
    layers = [module for module in model.modules() if [*module.parameters(recurse=False)]]
    has_norm = any(isinstance(layer, nn.BatchNorm2d | nn.SyncBatchNorm) for layer in layers[1:2])
    return layers[: 1 + has_norm]
