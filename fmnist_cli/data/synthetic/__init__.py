"""Ten garments drawn from random parameters, for trying the pipeline and for tests.

The parameters were chosen by eye; nothing here is measured on the real data. No accuracy claim may
rest on these pictures.
"""

from collections.abc import Callable
from typing import Final, Literal

import numpy as np

from fmnist_cli.constants import IMAGE_SIZE, NUM_CLASSES
from fmnist_cli.data.images import Images, LabeledImages, Labels
from fmnist_cli.data.synthetic.bags import draw_bag
from fmnist_cli.data.synthetic.canvas import Dice, Floats
from fmnist_cli.data.synthetic.shoes import draw_ankle_boot, draw_sandal, draw_sneaker
from fmnist_cli.data.synthetic.tops import (
    draw_coat,
    draw_dress,
    draw_pullover,
    draw_shirt,
    draw_t_shirt,
)
from fmnist_cli.data.synthetic.trousers import draw_trousers

_DRAW: Final[tuple[Callable[[Dice], Floats], ...]] = (
    draw_t_shirt,
    draw_trousers,
    draw_pullover,
    draw_dress,
    draw_coat,
    draw_sandal,
    draw_shirt,
    draw_sneaker,
    draw_bag,
    draw_ankle_boot,
)
"""Index = label."""

_CHUNK: Final = 1000
"""Images drawn together: few enough for the processor's cache. Another number, other data."""
_STREAMS: Final = {"train": 0, "test": 1}


def draw(n: int, split: Literal["train", "test"]) -> LabeledImages:
    """Draw the first `n` images of a split: uint8 [n, 28, 28] and int64 [n].

    An image is fixed by the split and its index, so that draw(k) is the start of draw(n). The two
    splits come from separate random streams. Every ten images from index 0 hold each class once,
    in random order.
    """
    images = np.empty((n, IMAGE_SIZE, IMAGE_SIZE), np.uint8)
    labels = np.empty(n, np.int64)
    for start in range(0, n, _CHUNK):
        chunk_images, chunk_labels = _draw_chunk(_STREAMS[split], start // _CHUNK)
        images[start : start + _CHUNK] = chunk_images[: n - start]
        labels[start : start + _CHUNK] = chunk_labels[: n - start]
    return LabeledImages(images, labels)


def _draw_chunk(stream: int, chunk: int) -> tuple[Images, Labels]:
    generator = np.random.default_rng([stream, chunk])
    tens = np.tile(np.arange(NUM_CLASSES), (_CHUNK // NUM_CLASSES, 1))
    labels = generator.permuted(tens, axis=1).ravel()
    images = np.empty((_CHUNK, IMAGE_SIZE, IMAGE_SIZE), np.uint8)
    for label, draw_garment in enumerate(_DRAW):
        light = draw_garment(Dice(generator, _CHUNK // NUM_CLASSES))
        images[labels == label] = np.clip(255 * light + 0.5, 0, 255)
    return images, labels
