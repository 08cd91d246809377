"""The normalization a network expects: recorded in its model file, applied by every backend."""

import math
from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from fmnist_cli.constants import PIXEL_MEAN, PIXEL_STD
from fmnist_cli.data.images import Images
from fmnist_cli.errors import UsageError

_MAX_NUMBER: Final = 1e6


@dataclass(frozen=True, slots=True)
class Normalization:
    """Normalization of raw pixels: (pixel / 255 - mean) / std."""

    mean: float
    std: float

    RAW: ClassVar["Normalization"]
    """0..1, as the tutorial's network takes its images."""
    STANDARD: ClassVar["Normalization"]
    """Zero mean and unit variance over the official training split."""
    HALF: ClassVar["Normalization"]
    """-1..1, as `Normalize(0.5, 0.5)` leaves them."""

    @classmethod
    def parse(cls, text: str) -> "Normalization":
        """Read `raw`, `standard`, `half`, `bytes` or `MEAN,STD` of pixels scaled to 0..1.

        Raises UsageError for anything else.
        """
        if text in _NAMED:
            return _NAMED[text]
        try:
            mean, std = (float(number) for number in text.split(","))
        except ValueError:
            mean = std = math.nan
        if not (abs(mean) < _MAX_NUMBER and 1 / _MAX_NUMBER < std < _MAX_NUMBER):
            raise UsageError(
                f"unknown normalization '{text}'; expected {', '.join(_NAMED)} or MEAN,STD with "
                "STD above 0, such as 0.5,0.5"
            )
        return cls(mean, std)

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


Normalization.RAW = Normalization(mean=0.0, std=1.0)
Normalization.HALF = Normalization(mean=0.5, std=0.5)
Normalization.STANDARD = Normalization(mean=PIXEL_MEAN, std=PIXEL_STD)
_NAMED: Final = {
    "raw": Normalization.RAW,
    "standard": Normalization.STANDARD,
    "half": Normalization.HALF,
    "bytes": Normalization(mean=0.0, std=1 / 255),
}
