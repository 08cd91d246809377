"""Means of drawing a batch of pictures at once: random parameters, curves, spans, paint.

A shape is a stack of spans: for each row an interval of x or, for shapes that lie on their side,
for each column an interval of y. Lengths are in pixels; the first pixel covers 0..1 by 0..1. Cover
is exact along the interval and the mean of two samples across it, which smooths every edge.
"""

from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fmnist_cli.constants import IMAGE_SIZE

Floats: TypeAlias = NDArray[np.floating[Any]]
"""Pictures are float32; parameters and curves may be float64 until they meet a picture."""
Value: TypeAlias = float | np.floating[Any] | Floats
"""A parameter: one number for all images of the batch, or an array [B]."""

_CENTERS: Final = np.arange(IMAGE_SIZE, dtype=np.float32) + 0.5
SAMPLES: Final = np.concatenate([_CENTERS - 0.25, _CENTERS + 0.25])
"""Where curves are known along their axis, [56]: the first half of every pixel, then the second."""
_NOWHERE: Final = np.float32(-99)
"""An upper edge so far outside the picture that its span is empty."""


class Dice:
    """Random parameters for the `count` images of a batch, float32 [B] each."""

    def __init__(self, generator: np.random.Generator, count: int) -> None:
        self.generator = generator
        self.count = count

    def uniform(self, low: Value, high: Value) -> Floats:
        """One number an image between `low` and `high`."""
        return low + (high - low) * self.generator.random(self.count, dtype=np.float32)

    def chance(self, probability: float) -> Floats:
        """1 for about `probability` of the images, 0 for the others."""
        return (self.generator.random(self.count) < probability).astype(np.float32)

    def pick(self, *options: Value) -> Floats:
        """One of `options` an image, all equally likely."""
        table = np.stack([np.broadcast_to(np.float32(option), self.count) for option in options])
        choice = self.generator.integers(len(options), size=self.count)
        picked: Floats = table[choice, np.arange(self.count)]
        return picked

    def noise(self) -> Floats:
        """Independent pixels [B, 28, 28] between -1 and 1."""
        shape = (self.count, IMAGE_SIZE, IMAGE_SIZE)
        return 2 * self.generator.random(shape, dtype=np.float32) - 1


def per_image(value: Value) -> Floats:
    """The parameter as [B, 1, 1] (or [1, 1, 1]), to meet pictures [B, 28, 28]."""
    return np.asarray(value, np.float32).reshape(-1, 1, 1)


def curve(*knots: tuple[Value, Value]) -> Floats:
    """Straight lines through (position, value) knots in ascending order, level beyond the ends.

    Returns float32 [B, 56]: the value at each of SAMPLES.
    """
    columns = [(np.reshape(at, (-1, 1)), np.reshape(value, (-1, 1))) for at, value in knots]
    (start, level), *rest = columns
    line = np.asarray(level, np.float32)
    for end, next_level in rest:
        slope = (next_level - level) / np.maximum(end - start, 1e-3)
        line = line + slope * (np.clip(SAMPLES, start, np.maximum(end, start + 1e-3)) - start)
        start, level = end, next_level
    return line.astype(np.float32, copy=False)


def trim(edge: Value, start: Value, end: Value) -> Floats:
    """The curve between two positions along its axis, and nowhere outside them. [B, 56]."""
    outside = (np.reshape(start, (-1, 1)) > SAMPLES) | (np.reshape(end, (-1, 1)) < SAMPLES)
    return np.where(outside, _NOWHERE, edge)


def arch(foot: Value, crown: Value, half_width: Value, roundness: Value = 2.0) -> Floats:
    """Half the width of an arch that stands on row `foot` and reaches up to row `crown`.

    `roundness` is the exponent of a superellipse: 1 a tent, 2 an ellipse, 4 almost a box.
    A `crown` below the `foot` hangs the arch upside down. Returns float32 [B, 56].
    """
    foot, crown, half_width, roundness = (
        np.reshape(np.asarray(value, np.float32), (-1, 1))
        for value in (foot, crown, half_width, roundness)
    )
    rise = (SAMPLES - foot) / (crown - foot)
    inside = np.clip(1 - np.abs(rise) ** roundness, 0, 1) ** (1 / roundness)
    return np.where((rise < 0) | (rise > 1), _NOWHERE, half_width * inside)


def mirrored(center: Value) -> Floats:
    """Distance of pixel centers from a vertical axis, [B, 1, 28]: spans then appear twice."""
    return np.abs(_CENTERS - per_image(center))


def span(low: Value, high: Floats, across: Floats = _CENTERS) -> Floats:
    """Cover [B, 28, 28] of the pixels whose `across` coordinate lies between two curves.

    low, high: curves [B, 56] along the rows; low may be one number for all rows.
    across: the coordinate of the columns; with `mirrored`, the distance from the axis.
    """
    low = np.broadcast_to(np.asarray(low, np.float32), high.shape)
    high = np.maximum(low, np.asarray(high, np.float32))
    first, second = np.s_[:, :IMAGE_SIZE, None], np.s_[:, IMAGE_SIZE:, None]
    left_edge = across - np.float32(0.5)
    cover = np.clip(high[first] - left_edge, 0, 1)
    cover -= np.clip(low[first] - left_edge, 0, 1)
    cover += np.clip(high[second] - left_edge, 0, 1)
    cover -= np.clip(low[second] - left_edge, 0, 1)
    cover *= np.float32(0.5)
    return cover


def upright(low: Value, high: Floats) -> Floats:
    """`span` on its side: cover of what lies between an upper and a lower edge over the columns."""
    return span(low, high).swapaxes(1, 2)


class Canvas:
    """A batch of black pictures to paint on: `light`, float32 [B, 28, 28], 0 black, 1 white."""

    def __init__(self, count: int) -> None:
        self.light = np.zeros((count, IMAGE_SIZE, IMAGE_SIZE), np.float32)

    def paint(self, cover: Floats, light: Value, opacity: Value = 1.0) -> None:
        """Lay paint over the pictures. light: [B, 28, 28], or one number an image."""
        if np.ndim(light) != 3:
            light = per_image(light)
        self.light += cover * per_image(opacity) * (light - self.light)

    def shade(self, cover: Floats, factor: Value) -> None:
        """Multiply the light under `cover`: a shadow below 1, a highlight above, a hole at 0."""
        self.light *= 1 + cover * (per_image(factor) - 1)
