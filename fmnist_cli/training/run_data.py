"""The data of a run: read, checked, divided and recorded."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fmnist_cli.checkpoints.metadata import DataRecord
from fmnist_cli.data.class_names import imbalance, listed
from fmnist_cli.data.images import LabeledImages, digest_images
from fmnist_cli.data.layouts import NAMED
from fmnist_cli.data.sources import Source, TrainingData
from fmnist_cli.data.splits import divide, stratified_split
from fmnist_cli.errors import DataError, UsageError
from fmnist_cli.training import provenance, recipes
from fmnist_cli.training.options import TrainConfig

SPLIT_SEED: Final = 0
"""The validation split depends on the data and its size alone, so runs can be compared."""
_LOG: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RunData:
    """What a run trains on and is validated on."""

    train: LabeledImages
    """An image that `--repeat` has seen several times per epoch is there as often."""
    val: LabeledImages
    record: DataRecord
    digests: bytes
    """Of the training images; empty for named data."""


def read_run_data(
    source: Source,
    config: TrainConfig,
    images: LabeledImages | None = None,
    resumed_fingerprint: str | None = None,
) -> RunData:
    """Read the data of a run; the test split stays closed.

    images: take these instead of the source's; they are copied.
    resumed_fingerprint: that of the data which a resumed run began with; None for a new run.
    Raises what the source raises, UsageError for options that do not suit the data, DataError for
    a class with one image or data other than the run began with.
    """
    if images is None:
        found = source.read_training()
    else:
        copied = images[np.arange(len(images))]  # because `divide` moves images
        found = TrainingData(copied, None, (len(images),))
    is_new = resumed_fingerprint is None
    val_size, seed = _validation(found, config)
    _check_classes(found.images, val_size, is_named=source.kind in NAMED, is_new=is_new)
    record = provenance.describe_data(source, found.images, val_size, seed)
    if resumed_fingerprint not in (None, record.fingerprint):
        raise DataError(
            f"'{config.data}' is not the data that the run began with "
            f"(fingerprint {record.fingerprint}, then {resumed_fingerprint})"
        )
    repeats = _repeats(config, found.sizes)
    if seed is not None:
        repeats = repeats[stratified_split(found.images.labels, val_size, seed)[0]]
    train, val = divide(found.images, val_size, seed)
    if is_new:
        _check_batch_size(config, len(train))
    digests = b"" if source.kind in NAMED else digest_images(train.images)
    repeats = repeats[: len(train)]
    if (repeats > 1).any():
        train = train[np.repeat(np.arange(len(train)), repeats)]
    return RunData(train, val, record, digests)


def _validation(found: TrainingData, config: TrainConfig) -> tuple[int, int | None]:
    """Size of the validation split, and the seed that draws it; None if the data has its own."""
    if found.val_size is not None and config.val_size in (None, found.val_size):
        return found.val_size, None
    return config.val_size_for(len(found.images)), SPLIT_SEED


def _check_classes(data: LabeledImages, val_size: int, *, is_named: bool, is_new: bool) -> None:
    """Refuse a class with a single image, which can't be both learned and judged."""
    counts = np.bincount(data.labels, minlength=len(data.classes))
    if val_size and not is_named and (counts == 1).any():
        lone = [data.classes[label] for label in np.flatnonzero(counts == 1)]
        raise DataError(
            f"only one image of {listed(lone)}; expected two or more of each class\n"
            "add images, or train without validation: --val-size 0"
        )
    told = imbalance(dict(zip(data.classes, counts.tolist(), strict=True)))
    if told is not None and is_new:
        _LOG.info("%s; --class-weights balanced makes up for it", told)


def _repeats(config: TrainConfig, sizes: Sequence[int]) -> NDArray[np.int64]:
    """How often each image is seen per epoch, int64 [N], from `--repeat` for each source."""
    times = config.repeat_counts() or [1] * len(sizes)
    if len(times) != len(sizes):
        raise UsageError(
            f"--repeat has {len(times)} numbers; expected one for each of {len(sizes)} --data"
        )
    return np.repeat(times, sizes)


def _check_batch_size(config: TrainConfig, n: int) -> None:
    """Refuse a batch larger than the training data; a recipe's own is cut to fit instead."""
    if config.batch_size > n and not recipes.sets(config, "batch_size"):
        raise UsageError(
            f"--batch-size {config.batch_size:,} is more than the {n:,} images to train "
            f"on; choose {n:,} or fewer"
        )
