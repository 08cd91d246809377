"""Stratified training and validation splits."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from fmnist_cli.data.images import LabeledImages, Labels
from fmnist_cli.errors import UsageError

_IMAGES_AT_ONCE: Final = 4_096
"""Images moved per step: 3 MB."""


def divide(
    data: LabeledImages, val_size: int, seed: int | None = 0
) -> tuple[LabeledImages, LabeledImages]:
    """Divide images into the training and validation parts chosen by `stratified_split`.

    seed: None takes the last images for validation, which are a split of their own.
    The training part reuses the arrays of `data`, so that a large split is never in memory twice:
    don't use `data` afterwards. Raises as `stratified_split` does.
    """
    if seed is None:
        end = len(data) - val_size
        return data[:end], data[end:]
    chosen, held_out = stratified_split(data.labels, val_size, seed)
    val = data[held_out]
    # Positions ascend, so each image moves toward the start, over images that have moved already.
    first = int(held_out[0]) if len(held_out) else len(chosen)
    for start in range(first, len(chosen), _IMAGES_AT_ONCE):
        stop = min(start + _IMAGES_AT_ONCE, len(chosen))
        data.images[start:stop] = data.images[chosen[start:stop]]
        data.labels[start:stop] = data.labels[chosen[start:stop]]
    count = len(chosen)
    paths = None if data.paths is None else tuple(data.paths[position] for position in chosen)
    return LabeledImages(data.images[:count], data.labels[:count], data.classes, paths), val


def stratified_split(
    labels: Labels, val_size: int, seed: int = 0
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Divide positions 0..N-1 into a training and a validation part.

    labels: int64 [N]. val_size: exact size of the validation part.
    Returns both parts as int64 positions in ascending order. The validation part keeps the class
    proportions, rounded up or down; `seed` determines which images of a class it gets.
    Raises UsageError if `val_size` would leave nothing to train on.
    """
    if not 0 <= val_size < max(len(labels), 1):
        raise UsageError(
            f"can't hold out {val_size:,} of {len(labels):,} training images for validation; "
            "choose a smaller --val-size"
        )
    random = np.random.default_rng(seed)
    is_val = np.zeros(len(labels), dtype=bool)
    classes, counts = np.unique(labels, return_counts=True)
    for label, quota in zip(classes, _quotas(counts, val_size), strict=True):
        members = np.flatnonzero(labels == label)
        is_val[random.permutation(members)[:quota]] = True
    return np.flatnonzero(~is_val), np.flatnonzero(is_val)


def _quotas(counts: NDArray[np.int64], total: int) -> NDArray[np.int64]:
    """Divide `total` in proportion to `counts` by the largest-remainder method."""
    quotas, remainders = np.divmod(counts * total, counts.sum())
    missing = total - quotas.sum()
    quotas[np.argsort(-remainders, kind="stable")[:missing]] += 1
    return quotas
