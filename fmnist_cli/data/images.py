"""The one form that every reader gives and every later stage takes."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fmnist_cli.constants import CLASS_NAMES, IMAGE_SIZE
from fmnist_cli.data.class_names import ANY_FOOTWEAR, difference, wrong_label
from fmnist_cli.errors import DataError

Images: TypeAlias = NDArray[np.uint8]
"""uint8 [N, 28, 28]; 0 is the background, 255 the brightest garment."""
Labels: TypeAlias = NDArray[np.int64]
"""int64 [N], values 0 to K - 1, or ANY_FOOTWEAR."""


@dataclass(frozen=True, slots=True)
class LabeledImages:
    """Images with their labels: uint8 [N, 28, 28] and int64 [N].

    Raises DataError at birth where shapes, dtypes or label values are otherwise.
    """

    images: Images
    labels: Labels
    classes: tuple[str, ...] = CLASS_NAMES
    """Names by label, K of them."""
    paths: tuple[Path, ...] | None = None
    """The picture files, if each image is from one."""

    def __post_init__(self) -> None:
        if self.images.dtype != np.uint8 or self.images.shape[1:] != (IMAGE_SIZE, IMAGE_SIZE):
            raise DataError(
                f"images are {self.images.dtype} {list(self.images.shape)}; "
                f"expected uint8 [N, {IMAGE_SIZE}, {IMAGE_SIZE}]"
            )
        if self.labels.dtype != np.int64 or self.labels.shape != self.images.shape[:1]:
            raise DataError(
                f"labels are {self.labels.dtype} {list(self.labels.shape)}; "
                f"expected int64 [{len(self.images)}]"
            )
        fault = wrong_label(self.labels[self.labels != ANY_FOOTWEAR], self.classes)
        if fault is not None:
            raise DataError(fault)

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: Any) -> "LabeledImages":
        """Select by a NumPy index of the first axis: a slice, a mask, positions."""
        paths = None
        if self.paths is not None:
            paths = tuple(np.asarray(self.paths, object)[index].tolist())
        return LabeledImages(self.images[index], self.labels[index], self.classes, paths)

    def fingerprint(self) -> str:
        """16 hexadecimal digits that name this content: truncated SHA-256 of images and labels."""
        digest = hashlib.sha256(np.ascontiguousarray(self.images).data)
        digest.update(np.ascontiguousarray(self.labels).data)
        return digest.hexdigest()[:16]


def join(*parts: LabeledImages) -> LabeledImages:
    """All images of several parts, in order. Raises DataError if their classes differ."""
    first = parts[0]
    for part in parts[1:]:
        if part.classes != first.classes:
            raise DataError(f"data of different classes: {difference(part.classes, first.classes)}")
    images = np.concatenate([part.images for part in parts])
    labels = np.concatenate([part.labels for part in parts])
    paths = [path for part in parts for path in part.paths or ()]
    return LabeledImages(
        images, labels, first.classes, tuple(paths) if len(paths) == len(labels) else None
    )
