"""Statistics of data: images per class, pixel statistics, duplicates and overlap."""

from contextlib import suppress
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

import numpy as np

from fmnist_cli.constants import FILES
from fmnist_cli.data.images import LabeledImages
from fmnist_cli.data.layouts import OFFICIAL
from fmnist_cli.data.sources import Source, open_source
from fmnist_cli.errors import MissingInput, UsageError
from fmnist_cli.evaluation.overlap import has_official

_COUNTED: Final = 10_000
"""Images whose pixels are counted at a time."""


@dataclass(frozen=True, slots=True)
class SplitStats:
    """Statistics of one split."""

    n: int
    counts: dict[str, int]
    """Images per class."""
    mean: float
    """Of all pixels, scaled to 0..1."""
    std: float
    duplicates: int
    """Images that are identical to an earlier one of the split."""
    fingerprint: str
    in_official: dict[str, int | None]
    """Number of images that are also in each official split; None if its files are missing."""


@dataclass(frozen=True, slots=True)
class DatasetStats:
    """Statistics of data, by split."""

    data: str
    kind: str
    is_sample: bool
    splits: dict[str, SplitStats]
    """`train` and, if they exist, `val` and `test`."""
    shared: int | None
    """Test images that training or validation holds too; None without a test split."""


def dataset_stats(source: Source) -> DatasetStats:
    """Read each existing split and describe it. Downloads nothing for the comparison."""
    splits = source.read_training().splits()
    with suppress(MissingInput, UsageError):  # there is no test split, or its files are missing
        splits["test"] = source.read("test")
    digests = {name: _digests(data) for name, data in splits.items()}
    known = {digest for name in splits if name != "test" for digest in digests[name]}
    files = open_source(OFFICIAL, data_dir=source.data_dir)
    official: dict[str, set[bytes] | None] = {
        name: {*_digests(files.read(name))} if has_official(source, name) else None
        for name in FILES
    }
    return DatasetStats(
        data=source.spec,
        kind=source.kind,
        is_sample=source.is_sample,
        splits={name: _describe(data, digests[name], official) for name, data in splits.items()},
        shared=_count(digests["test"], known) if "test" in splits else None,
    )


def _describe(
    data: LabeledImages, digests: list[bytes], official: dict[str, set[bytes] | None]
) -> SplitStats:
    # Sums over the 256 values are exact. NumPy counts int64 copies, of some images at a time.
    parts = range(0, len(data), _COUNTED)
    counted = (data.images[start : start + _COUNTED].reshape(-1) for start in parts)
    histogram = np.sum([np.bincount(pixels, minlength=256) for pixels in counted], axis=0)
    values = np.arange(256) / 255
    mean = float(histogram @ values / histogram.sum())
    variance = float(histogram @ (values - mean) ** 2 / histogram.sum())
    counts = np.bincount(data.labels, minlength=len(data.classes)).tolist()
    return SplitStats(
        n=len(data),
        counts=dict(zip(data.classes, counts, strict=True)),
        mean=mean,
        std=variance**0.5,
        duplicates=len(digests) - len(set(digests)),
        fingerprint=data.fingerprint(),
        in_official={
            name: None if images is None else _count(digests, images)
            for name, images in official.items()
        },
    )


def _digests(data: LabeledImages) -> list[bytes]:
    """A name for each image's pixels, much shorter than they are."""
    return [blake2b(image.tobytes(), digest_size=16).digest() for image in data.images]


def _count(digests: list[bytes], known: set[bytes]) -> int:
    return sum(digest in known for digest in digests)
