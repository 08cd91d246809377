"""A photo of a garment to an image like those of the data set.

The steps are those of the data set's authors (Xiao et al. 2017, section 2): trim to the garment,
fit the longest side into 28 pixels, sharpen, extend to 28×28 around the center, negate, convert to
gray. Their photos show products on white; here a small network finds the garment on any background,
unless the picture is transparent around it.
"""

from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from fmnist_cli.constants import IMAGE_SIZE
from fmnist_cli.errors import NoGarment
from fmnist_cli.photos.finder import MASK_SIDE, find_garment

Mask: TypeAlias = NDArray[np.float32]
"""float32 [H, W], 0 to 1: how much of a pixel is garment."""

_MIN_AREA: Final = 0.005
"""Share of the photo that a garment covers at least."""
_MIN_CERTAINTY: Final = 0.65
"""Mean probability inside a mask; without a garment, the finder is unsure everywhere."""
_MAX_ROUGHNESS: Final = 1.2
"""Limit of the standard deviation of differences between neighbors, relative to that of the pixels;
independent pixels have 1.41, the 3,210 photos that trained the finder at most 1.05."""
_MIN_PART: Final = 0.15
"""A part of the mask counts if it is at least this large relative to the largest one."""
_DARKEST: Final = 12
"""Brightness of a white garment after negation, so that it stands out from the background."""
_SOFT_EDGE: Final = ImageFilter.MaxFilter(3)
"""Extends a part by the width of its soft edge."""
_SHARPEN: Final = ImageFilter.UnsharpMask(radius=1, percent=50, threshold=0)


def prepare_photo(photo: Image.Image, mask: Mask | None = None) -> NDArray[np.uint8]:
    """Turn an RGB photo into uint8 [28, 28], the garment bright on black.

    photo: any size and aspect ratio; 200 to 450 pixels on the longer side are enough.
    mask: how much of each pixel is garment, in any resolution; None: the finder decides.
    Raises NoGarment if no garment is found.
    """
    if mask is None:
        mask = find_garment(photo)
        if not _is_certain(mask) or _is_noise(photo):
            raise NoGarment("no garment found in the picture")
    parts = Image.fromarray(_largest_parts(mask))
    mask = np.asarray(parts.resize(photo.size, Image.Resampling.BILINEAR), np.float32)
    rows, columns = (np.flatnonzero((mask > 0.5).any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        raise NoGarment("no garment found in the picture")
    box = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    gray = np.asarray(photo.convert("L"), np.float32)[box]
    return _fit(np.maximum(255 - gray, _DARKEST) * mask[box])


def _is_certain(mask: Mask) -> bool:
    inside = mask[mask > 0.5]
    return inside.size >= _MIN_AREA * mask.size and float(inside.mean()) >= _MIN_CERTAINTY


def _is_noise(photo: Image.Image) -> bool:
    """Whether neighboring pixels are unrelated, in which the finder may see anything."""
    gray = np.asarray(photo.convert("L"), np.float32)
    if min(gray.shape) < 2:
        return False
    steps = np.concatenate([np.diff(gray, axis=axis).ravel() for axis in (0, 1)])
    return float(steps.std()) > _MAX_ROUGHNESS * float(gray.std())


def _largest_parts(mask: Mask) -> Mask:
    """Set everything but the large connected parts to zero; a pair of shoes has two of them."""
    coarse = Image.fromarray(mask).resize((MASK_SIDE, MASK_SIDE), Image.Resampling.BOX)
    labels = _label(np.asarray(coarse) > 0.5)
    areas = np.bincount(labels.ravel())
    areas[0] = 0  # the background
    is_large = areas >= _MIN_PART * max(1, areas.max())
    kept = Image.fromarray(is_large[labels]).convert("L").filter(_SOFT_EDGE)
    return mask * (np.asarray(kept.resize(mask.shape[::-1], Image.Resampling.NEAREST)) > 0)


def _label(is_garment: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Give each connected part (of four neighbors) of a mask a number; 0 is the background."""
    labels = np.where(is_garment, np.arange(1, is_garment.size + 1).reshape(is_garment.shape), 0)
    before = np.full_like(labels, -1)
    while (labels != before).any():  # the largest number spreads over a part, run by run
        before[:] = labels
        for lines in (labels, labels.T):
            flat = lines.ravel()
            is_start = np.diff(flat == 0, prepend=True) != 0
            is_start.reshape(lines.shape)[:, 0] = True
            starts = np.flatnonzero(is_start)
            largest = np.maximum.reduceat(flat, starts)
            lengths = np.diff(starts, append=flat.size)
            lines[:] = np.repeat(largest, lengths).reshape(lines.shape)
    return labels


def _fit(brightness: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Fit the longest side into 28 pixels, sharpen, center on black."""
    height, width = brightness.shape
    scale = IMAGE_SIZE / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = Image.fromarray(brightness).resize(size, Image.Resampling.LANCZOS)
    canvas = Image.new("L", (IMAGE_SIZE, IMAGE_SIZE))
    garment = Image.fromarray(np.asarray(small).clip(0, 255).round().astype(np.uint8))
    corner = (IMAGE_SIZE - size[0]) // 2, (IMAGE_SIZE - size[1]) // 2
    canvas.paste(garment.filter(_SHARPEN), corner)
    return np.array(canvas)
