"""The data of a run: read, checked, divided and recorded."""

import logging
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fmnist_cli.checkpoints.archive import read_metadata
from fmnist_cli.checkpoints.metadata import DataRecord
from fmnist_cli.data.class_names import imbalance, listed
from fmnist_cli.data.images import LabeledImages, digest_images
from fmnist_cli.data.layouts import NAMED
from fmnist_cli.data.sources import Source, TrainingData
from fmnist_cli.data.splits import divide, stratified_split
from fmnist_cli.errors import DataError, FmnistError, UsageError
from fmnist_cli.pretrained import locate
from fmnist_cli.training.options import TrainConfig
from fmnist_cli.training.recipes import usual

SPLIT_SEED: Final = 0
"""The validation split depends on the data and its size alone, so runs can be compared."""
_LOG: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RunData:
    """What a run trains on and is validated on."""

    train: LabeledImages
    """Images that `--repeat` shows several times per epoch are repeated."""
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
    else:  # a copy, because `divide` moves images
        found = TrainingData(images[np.arange(len(images))], None, (len(images),))
    is_named, is_new = source.kind in NAMED, resumed_fingerprint is None
    val_size = config.val_size_for(len(found.images))
    seed: int | None = SPLIT_SEED
    if found.val_size is not None and config.val_size in (None, found.val_size):
        val_size, seed = found.val_size, None  # the data has a validation split of its own
    _check_classes(found.images, val_size, is_named=is_named, is_new=is_new)
    record = describe_data(source, found.images, val_size, seed)
    if resumed_fingerprint not in (None, record.fingerprint):
        raise DataError(
            f"'{config.data}' is not the data that the run began with "
            f"(fingerprint {record.fingerprint}, then {resumed_fingerprint})"
        )
    repeats = _repeats(found, config, val_size, seed)
    train, val = divide(found.images, val_size, seed)
    n = len(train)
    # A batch size that comes from the recipe is cut to fit instead.
    by_recipe = usual(config.recipe, config.device, "batch_size")
    if is_new and config.batch_size > n and config.batch_size != by_recipe:
        raise UsageError(
            f"--batch-size {config.batch_size:,} is more than the {n:,} images to train "
            f"on; choose {n:,} or fewer"
        )
    digests = b"" if is_named else digest_images(train.images)
    if (repeats > 1).any():
        train = train[np.repeat(np.arange(n), repeats)]
    return RunData(train, val, record, digests)


def _repeats(
    found: TrainingData, config: TrainConfig, val_size: int, seed: int | None
) -> NDArray[np.int64]:
    """How often each training image is seen per epoch, int64 [N], from `--repeat`."""
    counts = config.repeat_counts() or [1] * len(found.sizes)
    if len(counts) != len(found.sizes):
        raise UsageError(
            f"--repeat has {len(counts)} numbers; expected one for each of "
            f"{len(found.sizes)} --data"
        )
    repeats = np.repeat(counts, found.sizes)
    if seed is None:
        return repeats[: len(repeats) - val_size]
    return repeats[stratified_split(found.images.labels, val_size, seed)[0]]


def _check_classes(data: LabeledImages, val_size: int, *, is_named: bool, is_new: bool) -> None:
    """Refuse a class with a single image, which can't be both trained on and evaluated."""
    counts = np.bincount(data.labels, minlength=len(data.classes))
    if val_size and not is_named and (counts == 1).any():
        lone = [data.classes[label] for label in np.flatnonzero(counts == 1)]
        raise DataError(
            f"only one image of {listed(lone)}; expected two or more of each class\n"
            "add images, or train without validation: --val-size 0"
        )
    note = imbalance(dict(zip(data.classes, counts.tolist(), strict=True)))
    if note is not None and is_new:
        _LOG.info("%s; --class-weights balanced makes up for it", note)


def describe_data(
    source: Source, data: LabeledImages, val_size: int, split_seed: int | None
) -> DataRecord:
    """Record what a run trains on, and how `evaluate --split val` finds its validation split."""
    return DataRecord(
        spec=source.spec,
        test_spec=source.test_spec,
        kind=source.kind,
        fingerprint=data.fingerprint(),
        n_train=len(data) - val_size,
        val_size=val_size,
        split_seed=split_seed,
    )


def has_seen_validation(weights: str, data: DataRecord) -> bool:
    """Whether the weights in a model file were trained on some of a run's validation images.

    weights: what `--weights` names. One split and size always give the same validation split, so
    only another size matters. Weights without a record (a plain state dict) count as unseen.
    """
    if not data.val_size:
        return False
    try:
        seen = read_metadata(locate(weights)).data
    except FmnistError:
        return False
    return (
        seen is not None and seen.fingerprint == data.fingerprint and seen.val_size != data.val_size
    )
