"""2,500 training and 500 test images of Fashion-MNIST in the package (see README.md beside this).

They try the whole pipeline on real images without a network.
"""

import lzma
from pathlib import Path
from typing import Final, Literal

import numpy as np

from fmnist_cli.constants import IMAGE_SIZE, NUM_PIXELS
from fmnist_cli.data.images import LabeledImages

TRAIN_IMAGES: Final = 2_500
FOLDER: Final = Path(__file__).parent


def read(split: Literal["train", "test"]) -> LabeledImages:
    """Read a split: uint8 [2500 or 500, 28, 28] and int64 labels.

    Every ten images hold each class once.
    """
    packed = (FOLDER / f"{split}.xz").read_bytes()
    values = np.frombuffer(bytearray(lzma.decompress(packed)), np.uint8)  # writable
    n = len(values) // (1 + NUM_PIXELS)
    images = values[n:].reshape(n, IMAGE_SIZE, IMAGE_SIZE)
    return LabeledImages(images, values[:n].astype(np.int64))
