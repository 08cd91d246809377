"""Augmentation: per image, for a whole batch at once, on the device.

Each augmentation takes its strength, images float [B, 1, 28, 28] with values 0..1 (0 is the
background) and labels (int64 [B] or, once mixed, float [B, K]), and returns the latter two.
Random numbers come from `Draws`, so that a batch shared by several processes is augmented as one
process would.

To add one, write its function and name it in `AUGMENTATIONS`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeAlias

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from fmnist_cli.constants import IMAGE_SIZE
from fmnist_cli.errors import UsageError, did_you_mean


@dataclass(frozen=True, slots=True)
class Draws:
    """Random numbers for one process's share of a batch, and the images in it."""

    seed: int
    """Of this batch; the same for every process that shares it."""
    generator: torch.Generator
    """On the images' device, started from the seed."""
    batch_size: int
    """Of the whole batch, over all processes."""
    share: slice
    """The part of the batch that this process holds."""
    epoch: int
    positions: Tensor
    """int64 [B], positions of these images in the training split."""
    num_classes: int

    def uniform(self, low: float, high: float) -> Tensor:
        """Draw float32 [B] in [low, high)."""
        return self._rand() * (high - low) + low

    def happens(self, probability: float) -> Tensor:
        """Draw bool [B], each true with `probability`."""
        return self._rand() < probability

    def beta(self, alpha: float) -> float:
        """One number of the symmetric beta distribution, the same for the whole batch."""
        return float(np.random.default_rng(self.seed).beta(alpha, alpha))

    def _rand(self) -> Tensor:
        device = self.generator.device
        return torch.rand(self.batch_size, generator=self.generator, device=device)[self.share]


Augmented: TypeAlias = tuple[Tensor, Tensor]
"""Images and labels."""
Augmentation: TypeAlias = Callable[[Tensor, Tensor, Draws], Augmented]


def flip(probability: float, images: Tensor, labels: Tensor, draws: Draws) -> Augmented:
    """Flip each image horizontally with a probability."""
    return _mirror(images, draws.happens(probability)), labels


def alternating_flip(_strength: float, images: Tensor, labels: Tensor, draws: Draws) -> Augmented:
    """Flip half of the images in even epochs and the other half in odd ones.

    Two epochs together show every image both ways; independent flips do so for half of them
    (Jordan, "94% on CIFAR-10 in 3.29 seconds on a single GPU", 2024).
    """
    # Multiplying by an odd constant and taking a high bit halves the positions irregularly.
    half = ((draws.positions * 2654435761) >> 16) % 2
    return _mirror(images, (half + draws.epoch) % 2 == 0), labels


def shift(pixels: float, images: Tensor, labels: Tensor, draws: Draws) -> Augmented:
    """Shift by up to `pixels` whole pixels each way, with background at the edges."""
    most = int(pixels)
    down = draws.uniform(0, 2 * most + 1).long()
    right = draws.uniform(0, 2 * most + 1).long()
    padded = functional.pad(images[:, 0], (most, most, most, most))
    windows = padded.unfold(1, IMAGE_SIZE, 1).unfold(2, IMAGE_SIZE, 1)
    numbers = torch.arange(len(images), device=images.device)
    return windows[numbers, down, right][:, None], labels


def rotate(degrees: float, images: Tensor, labels: Tensor, draws: Draws) -> Augmented:
    """Rotate about the center by up to `degrees` either way."""
    angle = torch.deg2rad(draws.uniform(-degrees, degrees))
    cosine, sine = angle.cos(), angle.sin()
    return _sample(images, cosine, -sine, sine, cosine), labels


def zoom(strength: float, images: Tensor, labels: Tensor, draws: Draws) -> Augmented:
    """Scale about the center by a factor of up to 1 + strength either way."""
    scale = 1 / (1 + strength) ** draws.uniform(-1, 1)
    zero = torch.zeros_like(scale)
    return _sample(images, scale, zero, zero, scale), labels


def stretch(strength: float, images: Tensor, labels: Tensor, draws: Draws) -> Augmented:
    """Scale width and height apart by factors of up to 1 + strength either way."""
    columns, rows = ((1 + strength) ** draws.uniform(-1, 1) for _ in range(2))
    zero = torch.zeros_like(columns)
    return _sample(images, columns, zero, zero, rows), labels


def exposure(stops: float, images: Tensor, labels: Tensor, draws: Draws) -> Augmented:
    """Change brightness and contrast by up to `stops` either way; the background stays black.

    It makes up for the light in which photos are taken.
    """
    gain, gamma = (2 ** draws.uniform(-stops, stops)[:, None, None, None] for _ in range(2))
    return (gain * images.clamp_min(0) ** gamma).clamp_max(1), labels


def erase(probability: float, images: Tensor, labels: Tensor, draws: Draws) -> Augmented:
    """Fill a rectangle of 2% to 25% of the area with noise, each image with a probability.

    Zhong et al., "Random Erasing Data Augmentation" (2017).
    """
    area = draws.uniform(0.02, 0.25) * IMAGE_SIZE**2
    aspect = torch.exp(draws.uniform(-1.2, 1.2))  # 0.3 to 3.3
    inside = _rectangles(draws, (area * aspect).sqrt(), (area / aspect).sqrt())
    erased = inside & draws.happens(probability)[:, None, None]
    fill = draws.uniform(0, 1)[:, None, None, None]
    return torch.where(erased[:, None], fill, images), labels


def mixup(alpha: float, images: Tensor, labels: Tensor, draws: Draws) -> Augmented:
    """Blend each image and label with the next in the batch, all with the same ratio.

    Zhang et al., "mixup" (2017).
    """
    ratio = draws.beta(alpha)
    soft = _soft(labels, draws.num_classes)
    return (
        ratio * images + (1 - ratio) * images.roll(1, 0),
        ratio * soft + (1 - ratio) * soft.roll(1, 0),
    )


def cutmix(alpha: float, images: Tensor, labels: Tensor, draws: Draws) -> Augmented:
    """Paste a rectangle of the next image in the batch, mix labels by area.

    Yun et al., "CutMix" (2019).
    """
    side = IMAGE_SIZE * (1 - draws.beta(alpha)) ** 0.5
    sides = torch.full((len(images),), side, device=images.device)
    inside = _rectangles(draws, sides, sides)
    kept = 1 - inside.float().mean((1, 2))[:, None]
    soft = _soft(labels, draws.num_classes)
    mixed = torch.where(inside[:, None], images.roll(1, 0), images)
    return mixed, kept * soft + (1 - kept) * soft.roll(1, 0)


def _mirror(images: Tensor, chosen: Tensor) -> Tensor:
    return torch.where(chosen[:, None, None, None], images.flip(3), images)


def _sample(images: Tensor, xx: Tensor, xy: Tensor, yx: Tensor, yy: Tensor) -> Tensor:
    """Transform images bilinearly by a matrix, each of its elements a float [B]."""
    zero = torch.zeros_like(xx)
    rows = torch.stack([xx, xy, zero, yx, yy, zero], dim=1).view(-1, 2, 3)
    grid = functional.affine_grid(rows, list(images.shape), align_corners=False)
    return functional.grid_sample(images, grid, align_corners=False)


def _rectangles(draws: Draws, height: Tensor, width: Tensor) -> Tensor:
    """Masks bool [B, 28, 28] of rectangles with random centers, cut off at the border."""
    line = torch.arange(IMAGE_SIZE, device=height.device) + 0.5
    inside_rows = (line - draws.uniform(0, IMAGE_SIZE)[:, None]).abs() < height[:, None] / 2
    inside_columns = (line - draws.uniform(0, IMAGE_SIZE)[:, None]).abs() < width[:, None] / 2
    return inside_rows[:, :, None] & inside_columns[:, None, :]


def _soft(labels: Tensor, num_classes: int) -> Tensor:
    """Labels as probabilities, float32 [B, K]."""
    if labels.is_floating_point():
        return labels
    # one_hot would have to wait for the device to find the largest label.
    return (labels[:, None] == torch.arange(num_classes, device=labels.device)).float()


@dataclass(frozen=True, slots=True)
class Kind:
    """An augmentation on the command line."""

    function: Callable[[float, Tensor, Tensor, Draws], Augmented]
    default: float
    low: float
    high: float
    unit: str


AUGMENTATIONS: Final[Mapping[str, Kind]] = {
    "flip": Kind(flip, 0.5, 0, 1, "probability"),
    "altflip": Kind(alternating_flip, 1, 1, 1, "always half, by turns"),
    "shift": Kind(shift, 2, 1, IMAGE_SIZE // 2, "pixels"),
    "rotate": Kind(rotate, 10, 0, 180, "degrees"),
    "zoom": Kind(zoom, 0.1, 0, 1, "share of the size"),
    "stretch": Kind(stretch, 0.1, 0, 1, "share of the size"),
    "exposure": Kind(exposure, 0.5, 0, 3, "stops"),
    "erase": Kind(erase, 0.5, 0, 1, "probability"),
    "mixup": Kind(mixup, 0.2, 0.01, 10, "alpha"),
    "cutmix": Kind(cutmix, 1, 0.01, 10, "alpha"),
}


def parse(text: str) -> tuple[Augmentation, ...]:
    """Read `NAME[:STRENGTH],...`, or `none`, into augmentations in that order.

    Raises UsageError for an unknown name (with the nearest) or a strength out of its range.
    """
    if text in ("", "none"):
        return ()
    return tuple(_parse_one(part.strip()) for part in text.split(","))


def _parse_one(text: str) -> Augmentation:
    name, _, strength_text = text.partition(":")
    if name not in AUGMENTATIONS:
        hint = did_you_mean(name, AUGMENTATIONS)
        raise UsageError(
            f"no augmentation is called '{name}'; there are {', '.join(AUGMENTATIONS)}{hint}"
        )
    kind = AUGMENTATIONS[name]
    try:
        strength = float(strength_text) if strength_text else kind.default
    except ValueError:
        strength = float("nan")
    if not kind.low <= strength <= kind.high:
        raise UsageError(
            f"the strength of '{text}' is out of range; "
            f"expected {kind.low:g} to {kind.high:g} ({kind.unit})"
        )
    return partial(kind.function, strength)
