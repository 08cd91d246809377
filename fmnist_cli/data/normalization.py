"""What a network expects of its pixels: recorded in each model file, applied by every consumer."""

from dataclasses import asdict, dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from fmnist_cli.constants import PIXEL_MEAN, PIXEL_STD
from fmnist_cli.data.images import Images


@dataclass(frozen=True, slots=True)
class Normalization:
    """Normalization of raw pixels: (pixel / 255 - mean) / std."""

    mean: float
    std: float

    RAW: ClassVar["Normalization"]
    """0..1, as the tutorial's network takes its images."""
    STANDARD: ClassVar["Normalization"]
    """Zero mean and unit variance over the official training split."""

    @property
    def scale(self) -> float:
        """Factor of `prepared = pixel * scale + shift`."""
        return 1.0 / (255.0 * self.std)

    @property
    def shift(self) -> float:
        """Summand of `prepared = pixel * scale + shift`."""
        return -self.mean / self.std

    def apply(self, images: Images) -> NDArray[np.float32]:
        """Prepare uint8 [N, 28, 28]; returns float32 [N, 1, 28, 28]."""
        pixels = images[:, None].astype(np.float32)
        return pixels * np.float32(self.scale) + np.float32(self.shift)

    def as_dict(self) -> dict[str, float]:
        """Plain data for a model file."""
        return asdict(self)


Normalization.RAW = Normalization(mean=0.0, std=1.0)
Normalization.STANDARD = Normalization(mean=PIXEL_MEAN, std=PIXEL_STD)
