"""torchvision's networks, adapted to one gray channel and 28x28 pixels."""

from collections.abc import Mapping
from typing import Any, Final, Literal

import torchvision
from torch import Tensor, nn

from fmnist_cli.constants import NUM_CLASSES

_UNFIT: Final = ("googlenet", "inception", "maxvit", "regnet", "vgg", "vit")
"""Unsupported families: they need larger images or have several outputs; regnet can't be built on
the meta device, which loading a model file requires."""


class VisionNet(nn.Module):
    """A torchvision network for one channel.

    stem: `small` sets the stride of the first convolution to 1, because the usual 2 discards three
    pixels of four, which 28x28 images can't spare; `stock` keeps torchvision's stride.
    """

    def __init__(
        self,
        architecture: str,
        stem: Literal["small", "stock"] = "small",
        num_classes: int = NUM_CLASSES,
        **options: Any,
    ) -> None:
        super().__init__()
        self.network = torchvision.models.get_model(
            architecture, weights=None, num_classes=num_classes, **options
        )
        name, first = _first_convolution(self.network)
        adapted = nn.Conv2d(
            1,
            first.out_channels,
            first.kernel_size,  # type: ignore[arg-type]
            stride=1 if stem == "small" else first.stride,  # type: ignore[arg-type]
            padding=first.padding,  # type: ignore[arg-type]
            bias=first.bias is not None,
        )
        self.network.set_submodule(name, adapted)

    def forward(self, images: Tensor) -> Tensor:
        """Map normalized float images [N, 1, 28, 28] to logits [N, K]."""
        logits: Tensor = self.network(images)
        return logits

    def adapt(self, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Turn a torchvision state dict into one of this network.

        The first convolution's colors are added up, which is what it computes on a gray image.
        """
        stem = f"network.{_first_convolution(self.network)[0]}.weight"
        adapted = {f"network.{name}": tensor for name, tensor in state.items()}
        if stem in adapted and adapted[stem].dim() == 4:
            adapted[stem] = adapted[stem].sum(1, keepdim=True)
        return adapted


def _first_convolution(network: nn.Module) -> tuple[str, nn.Conv2d]:
    return next(
        (name, module) for name, module in network.named_modules() if isinstance(module, nn.Conv2d)
    )


def names() -> list[str]:
    """Networks of torchvision that classify and accept 28x28 pixels."""
    found = torchvision.models.list_models(module=torchvision.models)
    return [name for name in found if not name.startswith(_UNFIT)]
