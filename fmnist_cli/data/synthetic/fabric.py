"""What the garments are made of: brightness, folds, grain and patterns, float32 [B, 28, 28]."""

import numpy as np

from fmnist_cli.constants import IMAGE_SIZE
from fmnist_cli.data.synthetic.canvas import Canvas, Dice, Floats, Value, span, trim


def _waves(dice: Dice, shortest: float, longest: float) -> Floats:
    """A sine of random period (pixels) and phase an image, [B, 28]."""
    period = dice.uniform(shortest, longest)[:, None]
    phase = dice.uniform(0, 1)[:, None]
    positions = np.arange(IMAGE_SIZE, dtype=np.float32)
    wave: Floats = np.sin(2 * np.pi * (positions / period + phase)).astype(np.float32)
    return wave


def cloth(
    dice: Dice,
    *,
    stripes: float = 0.0,
    checks: float = 0.0,
    prints: float = 0.0,
    folds: Value = 0.1,
) -> Floats:
    """Fabric with a brightness of its own, soft folds and grain.

    stripes, checks, prints: probabilities of horizontal stripes, of crossed stripes, of an
    irregular all-over print. folds: how deep the vertical folds are, 0 to 1.
    """
    base = np.maximum(dice.uniform(0.15, 0.95), dice.uniform(0.15, 0.95))
    checked = dice.chance(checks) * dice.uniform(0.15, 0.4)
    striped = dice.chance(stripes) * dice.uniform(0.1, 0.6) + checked
    grain = dice.uniform(0.01, 0.06) + dice.chance(prints) * dice.uniform(0.08, 0.3)
    rows = 1 + striped[:, None] * _waves(dice, 2.5, 7) + 0.1 * _waves(dice, 30, 60)
    columns = checked[:, None] * _waves(dice, 2.5, 7)
    columns += dice.uniform(0, folds)[:, None] * _waves(dice, 4, 14)
    noise = dice.noise()
    noise[:, :, 1:] += noise[:, :, :-1]  # threads run along the rows
    light = grain[:, None, None] * noise
    light += rows[:, :, None]
    light += columns[:, None, :]
    light *= base[:, None, None]
    return light


def emblem(canvas: Canvas, dice: Dice, probability: float, axis: Floats) -> None:
    """Print a block of lettering or a badge on the chest of some images."""
    center, half_height = dice.uniform(8, 15), dice.uniform(0.7, 4)
    half_width = dice.uniform(1.5, 5)
    cover = span(-1, trim(half_width[:, None], center - half_height, center + half_height), axis)
    cover *= 1 - dice.uniform(0, 0.9)[:, None, None] * (dice.noise() > 0.2)
    canvas.paint(cover, dice.uniform(0, 1), dice.chance(probability))
