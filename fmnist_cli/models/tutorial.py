"""The network of the course that this project starts from."""

from torch import Tensor, nn

from fmnist_cli.facts import NUM_CLASSES
from fmnist_cli.models.layers import Dropout


class TutorialNet(nn.Module):
    """Two 5x5 convolutions and two linear layers; 582,026 parameters.

    Layers stand at the course's own positions, so its saved weights load as they are
    (`conv.0`, `conv.4`, `fc.0`, `fc.2`).
    """

    def __init__(self, dropout: float = 0.3) -> None:
        super().__init__()
        self.conv = nn.Sequential(
            nn.Conv2d(1, 32, 5),
            nn.MaxPool2d(2),  # the course pools after the activation: the same result, dearer
            nn.ReLU(),
            Dropout(dropout),
            nn.Conv2d(32, 64, 5),
            nn.MaxPool2d(2),
            nn.ReLU(),
            Dropout(dropout),
        )
        self.fc = nn.Sequential(nn.Linear(64 * 4 * 4, 512), nn.ReLU(), nn.Linear(512, NUM_CLASSES))

    @property
    def head(self) -> nn.Module:
        """The last layer."""
        return self.fc[-1]

    def forward(self, images: Tensor) -> Tensor:
        """Prepared float [N, 1, 28, 28] to logits [N, 10]."""
        logits: Tensor = self.fc(self.conv(images).flatten(1))
        return logits
