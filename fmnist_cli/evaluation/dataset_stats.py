"""What data holds: how much of what, and which images stand in it more than once."""

from dataclasses import dataclass

import numpy as np

from fmnist_cli.constants import CLASS_NAMES, NUM_CLASSES
from fmnist_cli.data.images import LabeledImages
from fmnist_cli.data.sources import OFFICIAL, Source, open_source
from fmnist_cli.errors import MissingInput, UsageError
from fmnist_cli.evaluation.overlap import has_official


@dataclass(frozen=True, slots=True)
class SplitStats:
    """One split."""

    n: int
    counts: dict[str, int]
    """Images per class."""
    mean: float
    """Of all pixels, scaled to 0..1."""
    std: float
    duplicates: int
    """Images that equal an earlier one of the split, byte for byte."""
    fingerprint: str
    in_official: dict[str, int | None]
    """How many images also stand in each official split; None where its files are not there."""


@dataclass(frozen=True, slots=True)
class DatasetStats:
    """Data by its splits."""

    data: str
    kind: str
    is_drawn: bool
    splits: dict[str, SplitStats]
    """`train`, and `test` where there is one."""
    shared: int | None
    """Test images that equal a training image, byte for byte; None without a test split."""


def dataset_stats(source: Source) -> DatasetStats:
    """Read each split that there is and describe it. Downloads nothing to compare with."""
    train = source.read("train")
    try:
        test = source.read("test")
    except (MissingInput, UsageError):  # nothing names it, or its files are not there
        test = None
    contents = {"train": train} | ({"test": test} if test is not None else {})
    official = _official_images(source)
    return DatasetStats(
        data=source.spec,
        kind=source.kind,
        is_drawn=source.is_drawn,
        splits={name: _describe(data, official) for name, data in contents.items()},
        shared=None if test is None else _count_in(test, _distinct(train)),
    )


def _describe(data: LabeledImages, official: dict[str, set[bytes] | None]) -> SplitStats:
    # Sums over the 256 values are exact and take no second copy of the images.
    histogram = np.bincount(data.images.reshape(-1), minlength=256)
    values = np.arange(256) / 255
    mean = float(histogram @ values / histogram.sum())
    variance = float(histogram @ (values - mean) ** 2 / histogram.sum())
    counts = np.bincount(data.labels, minlength=NUM_CLASSES).tolist()
    return SplitStats(
        n=len(data),
        counts=dict(zip(CLASS_NAMES, counts, strict=True)),
        mean=mean,
        std=variance**0.5,
        duplicates=len(data) - len(_distinct(data)),
        fingerprint=data.fingerprint(),
        in_official={
            name: None if images is None else _count_in(data, images)
            for name, images in official.items()
        },
    )


def _official_images(source: Source) -> dict[str, set[bytes] | None]:
    """The images of each official split, as far as its files are in the data folder."""
    official = open_source(OFFICIAL, data_dir=source.data_dir)
    return {
        "train": _distinct(official.read("train")) if has_official(source, "train") else None,
        "test": _distinct(official.read("test")) if has_official(source, "test") else None,
    }


def _distinct(data: LabeledImages) -> set[bytes]:
    return {image.tobytes() for image in data.images}


def _count_in(data: LabeledImages, images: set[bytes]) -> int:
    return sum(image.tobytes() in images for image in data.images)
