"""A wide residual network for 28x28 gray images.

It has the size of WRN-16-8 in Zagoruyko & Komodakis, "Wide Residual Networks" (2016). Unlike there,
norms follow convolutions, so that they can be folded into them for inference.
"""

from collections.abc import Sequence
from typing import Final

from torch import Tensor, nn

from fmnist_cli.constants import NUM_CLASSES

_STEM_CHANNELS: Final = 64


class Block(nn.Module):
    """Two convolutions with a residual connection."""

    def __init__(self, channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        self.changed = nn.Sequential(
            nn.Conv2d(channels, out_channels, 3, stride, padding=1, bias=False),
            nn.BatchNorm2d(out_channels),
            nn.ReLU(),
            nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(out_channels),
        )
        self.passed: nn.Module = nn.Identity()
        if (channels, stride) != (out_channels, 1):
            self.passed = nn.Sequential(
                nn.Conv2d(channels, out_channels, 1, stride, bias=False),
                nn.BatchNorm2d(out_channels),
            )
        self.activate = nn.ReLU()

    def forward(self, features: Tensor) -> Tensor:
        """[N, channels, H, W] to [N, out_channels, H / stride, W / stride]."""
        total: Tensor = self.activate(self.passed(features) + self.changed(features))
        return total


class WideResNet(nn.Module):
    """Groups of blocks at 28x28, 14x14 and 7x7, global average pooling and a linear head."""

    def __init__(
        self,
        widths: Sequence[int] = (128, 256, 512),
        blocks: int = 2,
        num_classes: int = NUM_CLASSES,
    ) -> None:
        super().__init__()
        layers: list[nn.Module] = [
            nn.Conv2d(1, _STEM_CHANNELS, 3, padding=1, bias=False),
            nn.BatchNorm2d(_STEM_CHANNELS),
            nn.ReLU(),
        ]
        channels = _STEM_CHANNELS
        for group, width in enumerate(widths):
            for block in range(blocks):
                layers.append(Block(channels, width, 2 if group and not block else 1))
                channels = width
        self.features = nn.Sequential(*layers)
        self.head = nn.Linear(channels, num_classes)

    def forward(self, images: Tensor) -> Tensor:
        """Map normalized float images [N, 1, 28, 28] to logits [N, K]."""
        logits: Tensor = self.head(self.features(images).mean((2, 3)))
        return logits
