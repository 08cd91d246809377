"""Plain stacks of 3x3 convolutions for 28x28 gray images, in several sizes.

A stage convolves, pools, normalizes and activates in this order, so that norm and activation see a
quarter of the pixels. Most layers work at 7x7, where only the convolutions cost time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor, nn

from fmnist_cli.constants import IMAGE_SIZE, NUM_CLASSES


@dataclass(frozen=True, slots=True)
class Stage:
    """One convolution with `channels` outputs; `pools` halves width and height."""

    channels: int
    pools: bool = False


SMALL: Final = (Stage(16, pools=True), Stage(32, pools=True), Stage(64), Stage(64, pools=True))
COMPACT: Final = (
    Stage(16, pools=True),
    Stage(32),
    Stage(32, pools=True),
    Stage(72),
    Stage(72, pools=True),
)
BASE: Final = (
    Stage(32, pools=True),
    Stage(64),
    Stage(64, pools=True),
    Stage(112),
    Stage(112),
    Stage(112, pools=True),
)


class ConvNet(nn.Module):
    """A stack of stages and a linear head."""

    def __init__(
        self,
        stages: Sequence[Stage] = BASE,
        dropout: float = 0.0,
        num_classes: int = NUM_CLASSES,
        *,
        mirror: bool = False,
    ) -> None:
        """mirror: average the logits of each image and of its mirror image, at twice the cost."""
        super().__init__()
        self.mirror = mirror
        layers: list[nn.Module] = []
        channels, side = 1, IMAGE_SIZE
        for stage in stages:
            layers.append(nn.Conv2d(channels, stage.channels, 3, padding=1, bias=False))
            if stage.pools:
                layers.append(nn.MaxPool2d(2))
                side //= 2
            layers += [nn.BatchNorm2d(stage.channels), nn.ReLU()]
            channels = stage.channels
        self.features = nn.Sequential(*layers, nn.Flatten(), nn.Dropout(dropout))
        self.head = nn.Linear(channels * side * side, num_classes)

    def forward(self, images: Tensor) -> Tensor:
        """Map normalized float images [N, 1, 28, 28] to logits [N, K]."""
        if self.mirror:
            images = torch.cat([images, images.flip(3)])
        logits: Tensor = self.head(self.features(images))
        return logits.view(2, -1, logits.shape[1]).mean(0) if self.mirror else logits
