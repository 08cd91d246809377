"""Training and validation parts of one split, every class in proportion."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from fmnist_cli.data.images import LabeledImages, Labels
from fmnist_cli.errors import UsageError

_IMAGES_AT_ONCE: Final = 4_096
"""Moved together: 3 MB."""


def divide(
    data: LabeledImages, val_size: int, seed: int = 0
) -> tuple[LabeledImages, LabeledImages]:
    """Divide images into the training and the validation part that `stratified_split` chooses.

    The training part takes over the arrays of `data`, so that a large split is never held twice:
    `data` is not to be used afterwards. Raises as `stratified_split`.
    """
    chosen, held_out = stratified_split(data.labels, val_size, seed)
    val = data[held_out]
    # Positions ascend, so each image moves towards the start, over images that have moved already.
    first = int(held_out[0]) if len(held_out) else len(chosen)
    for start in range(first, len(chosen), _IMAGES_AT_ONCE):
        stop = min(start + _IMAGES_AT_ONCE, len(chosen))
        data.images[start:stop] = data.images[chosen[start:stop]]
        data.labels[start:stop] = data.labels[chosen[start:stop]]
    return data[: len(chosen)], val


def stratified_split(
    labels: Labels, val_size: int, seed: int = 0
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Divide positions 0..N-1 into a training and a validation part.

    labels: int64 [N]. val_size: how many positions the validation part holds, exactly.
    Returns both parts as int64 positions in ascending order. Each class has its share of the
    validation part, rounded up or down; which of its images go there is drawn from `seed`.
    Raises UsageError where `val_size` would leave nothing to train on.
    """
    if not 0 <= val_size < max(len(labels), 1):
        raise UsageError(
            f"a validation part of {val_size:,} images can't be taken from {len(labels):,}; "
            "choose a smaller one: --val-size"
        )
    random = np.random.default_rng(seed)
    is_val = np.zeros(len(labels), dtype=bool)
    classes, counts = np.unique(labels, return_counts=True)
    for label, quota in zip(classes, _quotas(counts, val_size), strict=True):
        members = np.flatnonzero(labels == label)
        is_val[random.permutation(members)[:quota]] = True
    return np.flatnonzero(~is_val), np.flatnonzero(is_val)


def _quotas(counts: NDArray[np.int64], total: int) -> NDArray[np.int64]:
    """Share `total` out in proportion to `counts` by the method of largest remainders."""
    if not total:
        return np.zeros_like(counts)
    quotas, remainders = np.divmod(counts * total, counts.sum())
    missing = total - quotas.sum()
    quotas[np.argsort(-remainders, kind="stable")[:missing]] += 1
    return quotas
