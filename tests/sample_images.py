"""Images for tests: the package's sample, repeated where a test asks for more of them."""

from typing import Literal

import numpy as np

from fmnist_cli.data import sample
from fmnist_cli.data.images import LabeledImages


def draw(n: int, split: Literal["train", "test"]) -> LabeledImages:
    """Return the first `n` images of a split, again from its start after the last one."""
    data = sample.read(split)
    return data[np.arange(n) % len(data)]
