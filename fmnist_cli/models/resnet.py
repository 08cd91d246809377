"""A small residual network for 28x28 grey images, fast on a CPU."""

from torch import Tensor, nn

from fmnist_cli.facts import NUM_CLASSES


def _stage(inputs: int, outputs: int) -> nn.Sequential:
    """Convolve, halve, normalise: the norm and the activation see a quarter of the pixels."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1, bias=False),
        nn.MaxPool2d(2),
        nn.BatchNorm2d(outputs),
        nn.ReLU(),
    )


class Residual(nn.Module):
    """Two convolutions whose result is added to what went in."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(),
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels),
        )
        self.activation = nn.ReLU()

    def forward(self, features: Tensor) -> Tensor:
        """Keep the shape [N, C, H, W]."""
        result: Tensor = self.activation(features + self.body(features))
        return result


class ResNet(nn.Module):
    """Three stages that halve the picture, with residual blocks after the later two."""

    def __init__(self, widths: tuple[int, int, int] = (32, 64, 128), dropout: float = 0.0) -> None:
        super().__init__()
        first, second, third = widths
        self.features = nn.Sequential(
            _stage(1, first),
            _stage(first, second),
            Residual(second),
            _stage(second, third),
            Residual(third),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Dropout(dropout),
        )
        self.head = nn.Linear(third, NUM_CLASSES)

    def forward(self, images: Tensor) -> Tensor:
        """Prepared float [N, 1, 28, 28] to logits [N, 10]."""
        logits: Tensor = self.head(self.features(images))
        return logits
