"""A photo of a garment to an image like the data set's.

The steps are those of the data set's authors (Xiao et al. 2017, section 2): trim to the garment by
the background's color, fit the longest side into 28 pixels, sharpen, extend to 28×28 around the
center, negate, gray. Theirs start from product photos on #fdfdfd; here the background is measured
on each photo first, so that it may be gray, mildly colored or noisy.
"""

from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from fmnist_cli.constants import IMAGE_SIZE
from fmnist_cli.errors import DataError

Colors: TypeAlias = NDArray[np.float32]
"""float32 [..., 3], red, green and blue, 0..255."""

_WORKING_SIDE: Final = 8 * IMAGE_SIZE
"""Larger photos are averaged down to at least this: enough detail, and less noise."""
_BORDER_SHARE: Final = 0.02
"""Width of the frame that is taken for background, as a share of the shorter side."""
_TRIM_DISTANCE: Final = 0.05 * 255
"""How far from the background a pixel still counts as background: the authors' 5%."""
_MAX_TRIM_DISTANCE: Final = 0.25 * 255
_NOISE_FACTOR: Final = 4.0
"""In standard deviations of the background's noise; fewer would take noise for garment."""
_LUMA: Final = np.array([0.299, 0.587, 0.114], np.float32)
"""Weights of red, green and blue in gray (ITU-R BT.601, as in JPEG and Pillow)."""
_SHARPEN: Final = ImageFilter.UnsharpMask(radius=1, percent=50, threshold=0)


def prepare_photo(photo: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Turn a photo, uint8 [H, W, 3], into uint8 [28, 28], the garment bright on black.

    On a dark background the garment is taken to be bright already and is not negated. Raises
    DataError where nothing stands out from the background.
    """
    colors = np.asarray(shrink(Image.fromarray(photo)), np.float32)
    background, noise = _measure_background(colors)
    brightness = _brightness(colors[_find_garment(colors, background, noise)], background)
    return _fit(brightness)


def shrink(photo: Image.Image) -> Image.Image:
    """Average a large photo down to the size that it is prepared at; no mode with alpha."""
    factor = max(photo.size) // _WORKING_SIDE
    return photo.reduce(factor) if factor > 1 else photo


def _measure_background(colors: Colors) -> tuple[Colors, float]:
    """Color of the frame, [3], and the standard deviation of its noise; outliers do not count."""
    width = max(1, round(_BORDER_SHARE * min(colors.shape[:2])))
    is_frame = np.ones(colors.shape[:2], bool)
    is_frame[width:-width, width:-width] = False
    frame = colors[is_frame]
    background = np.median(frame, axis=0).astype(np.float32)
    # 1.4826 makes the median absolute deviation a standard deviation of Gaussian noise.
    noise = 1.4826 * float(np.median(np.abs(frame - background).max(axis=1)))
    return background, noise


def _find_garment(colors: Colors, background: Colors, noise: float) -> tuple[slice, slice]:
    """Rows and columns of the box around everything that stands out from the background."""
    distance = np.abs(colors - background).max(axis=2)
    stands_out = distance > np.clip(_NOISE_FACTOR * noise, _TRIM_DISTANCE, _MAX_TRIM_DISTANCE)
    if min(stands_out.shape) > IMAGE_SIZE:
        # The median of 3×3 removes single noisy pixels, which would widen the box.
        mask = Image.fromarray(stands_out).convert("L").filter(ImageFilter.MedianFilter(3))
        stands_out = np.asarray(mask) > 0
    rows, columns = (np.flatnonzero(stands_out.any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        raise DataError("nothing stands out from the picture's background")
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)


def _brightness(colors: Colors, background: Colors) -> NDArray[np.float32]:
    """Gray float32 [H, W] on which the background is 0 and its opposite 255.

    Not yet cut to 0..255: noise about 0 is to average out first.
    """
    gray_background = float(background @ _LUMA)
    if gray_background < 128:
        brightness = (colors @ _LUMA - gray_background) * (255 / (255 - gray_background))
    else:
        # Divided by the background, each channel is 1 there: its color is taken for the light's.
        brightness = 255 * (1 - colors @ (_LUMA / np.maximum(background, 1)))
    return brightness.astype(np.float32, copy=False)


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
