"""The course's network."""

from torch import Tensor, nn

from fmnist_cli.constants import NUM_CLASSES
from fmnist_cli.models.layers import can_train_fast, pooled_convolution, rectified_dropout


class TutorialNet(nn.Module):
    """Two 5x5 convolutions and two linear layers; 582,026 parameters for ten classes.

    Layers have the same positions as in the course, so its saved weights load
    (`conv.0`, `conv.4`, `fc.0`, `fc.2`).
    """

    def __init__(self, dropout: float = 0.3, num_classes: int = NUM_CLASSES) -> None:
        super().__init__()
        self.conv = nn.Sequential(
            nn.Conv2d(1, 32, 5),
            nn.MaxPool2d(2),  # the course pools after the activation: same result, slower
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Conv2d(32, 64, 5),
            nn.MaxPool2d(2),
            nn.ReLU(),
            nn.Dropout(dropout),
        )
        self.fc = nn.Sequential(nn.Linear(64 * 4 * 4, 512), nn.ReLU(), nn.Linear(512, num_classes))
        self.dropout = dropout

    def forward(self, images: Tensor) -> Tensor:
        """Map normalized float images [N, 1, 28, 28] to logits [N, K]."""
        if self.conv.training and can_train_fast(images) and not images.requires_grad:
            features = self._train_convolutions(images)
        else:
            features = self.conv(images)
        logits: Tensor = self.fc(features.flatten(1))
        return logits

    def _train_convolutions(self, images: Tensor) -> Tensor:
        """Compute what `self.conv` computes in training, faster."""
        first, second, pool = self.conv[0], self.conv[4], self.conv[5]
        assert isinstance(first, nn.Conv2d)
        features = rectified_dropout(pooled_convolution(first, images), self.dropout)
        return rectified_dropout(pool(second(features)), self.dropout)
