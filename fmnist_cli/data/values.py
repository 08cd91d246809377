"""Numbers and names from tables and arrays to pixels and labels; values are checked, not scaled."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from fmnist_cli.constants import CLASS_NAMES
from fmnist_cli.data.class_names import ANY_FOOTWEAR, expected_labels, label_of, wrong_label
from fmnist_cli.data.images import Labels
from fmnist_cli.errors import DataError

EXPECTED_PIXELS: Final = "expected whole numbers from 0 to 255"
SCALED: Final = f"pixels lie between 0 and 1; {EXPECTED_PIXELS}: multiply them by 255"


def as_pixels(values: NDArray[Any]) -> NDArray[np.uint8]:
    """Convert numbers to uint8 of the same shape; floats must be whole.

    Raises DataError for other values, and for floats that were scaled to 0..1.
    """
    if values.dtype == np.uint8:
        return values
    if values.dtype.kind not in "iuf":
        raise DataError(f"pixels are {values.dtype}; {EXPECTED_PIXELS}")
    low, high = (values.min(), values.max()) if values.size else (0, 0)
    if values.dtype.kind == "f" and low >= 0 and 0 < high <= 1:
        raise DataError(SCALED)
    if not (low >= 0 and high <= 255):  # NaN, too
        raise DataError(f"pixels run from {low:g} to {high:g}; {EXPECTED_PIXELS}")
    pixels = values.astype(np.uint8)
    if values.dtype.kind == "f" and not np.array_equal(pixels, values):
        raise DataError(f"pixels have fractions; {EXPECTED_PIXELS}")
    return pixels


def as_labels(values: NDArray[Any], classes: Sequence[str] = CLASS_NAMES) -> Labels:
    """Convert class names or numbers to int64 [N]. Raises DataError for any other value."""
    if values.dtype.kind in "iuf":
        broken = values[np.mod(values, 1) != 0]
        if broken.size:  # NaN and infinity among them
            raise DataError(f"label {broken[0]}; {expected_labels(classes)}")
        fault = wrong_label(values, classes)
        if fault is not None:
            raise DataError(fault)
        return values.astype(np.int64)
    names, positions = np.unique(values.astype(str), return_inverse=True)
    labels = [read_label(name, classes) for name in names.tolist()]
    if None in labels:
        name = str(names[labels.index(None)])
        raise DataError(f"label {name[:40]!r}; {expected_labels(classes)}")
    return np.array(labels, np.int64)[positions]


def read_label(text: str, classes: Sequence[str] = CLASS_NAMES) -> int | None:
    """Label of a class name or number as text; None for anything else."""
    try:
        number = float(text)
    except ValueError:
        label = label_of(text, classes)
        return None if label == ANY_FOOTWEAR else label
    return int(number) if number in range(len(classes)) else None
