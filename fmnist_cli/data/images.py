"""Labeled images, as every reader returns them: their checks, conversions and digests.

A model file records each training image by a digest of 5 bytes. Two different images share one with
a probability of 2**-40: 10,000 images against a record of 60,000 give 0.0005 false matches on
average.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fmnist_cli.constants import CLASS_NAMES, IMAGE_SIZE
from fmnist_cli.data.class_names import (
    ANY_FOOTWEAR,
    difference,
    expected_labels,
    label_of,
    listed,
    wrong_label,
)
from fmnist_cli.errors import DataError

Images: TypeAlias = NDArray[np.uint8]
"""uint8 [N, 28, 28]; 0 is the background, 255 the brightest garment."""
Labels: TypeAlias = NDArray[np.int64]
"""int64 [N], values 0 to K - 1, or ANY_FOOTWEAR."""

EXPECTED_PIXELS: Final = "expected whole numbers from 0 to 255"
SCALED: Final = f"pixels lie between 0 and 1; {EXPECTED_PIXELS}: multiply them by 255"
DIGEST_BYTES: Final = 5
ONNX_RECORD_KEY: Final = "fmnist.trained_on"
"""Entry of an ONNX file's metadata that holds a record of digests, as base64."""
_DIGEST: Final = np.dtype(f"S{DIGEST_BYTES}")


@dataclass(frozen=True, slots=True)
class LabeledImages:
    """Images with their labels: uint8 [N, 28, 28] and int64 [N].

    Raises DataError for other shapes, dtypes or label values, and for a repeated class.
    """

    images: Images
    labels: Labels
    classes: tuple[str, ...] = CLASS_NAMES
    """Names by label, K of them."""
    paths: tuple[Path, ...] | None = None
    """The picture files, if each image is from one."""

    def __post_init__(self) -> None:
        check_images(self.images)
        labels: object = self.labels
        if not isinstance(labels, np.ndarray):
            kind = type(labels).__name__
            raise DataError(f"labels are a {kind}; expected a NumPy array, int64 [N]")
        if self.labels.dtype != np.int64 or self.labels.shape != self.images.shape[:1]:
            raise DataError(
                f"labels are {self.labels.dtype} {list(self.labels.shape)}; "
                f"expected int64 [{len(self.images)}]"
            )
        if len(set(self.classes)) < len(self.classes):
            raise DataError(f"classes are {listed(self.classes)}; expected different names")
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


def check_images(images: object) -> None:
    """Raise DataError for anything but a NumPy array, uint8 [N, 28, 28]."""
    expected = f"uint8 [N, {IMAGE_SIZE}, {IMAGE_SIZE}]"
    if not isinstance(images, np.ndarray):
        kind = type(images).__name__
        raise DataError(f"images are a {kind}; expected a NumPy array, {expected}")
    if images.dtype != np.uint8 or images.shape[1:] != (IMAGE_SIZE, IMAGE_SIZE):
        raise DataError(f"images are {images.dtype} {list(images.shape)}; expected {expected}")


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


def digest_images(images: Images) -> bytes:
    """Digest uint8 [N, 28, 28]; returns the sorted, distinct digests, 5 bytes each."""
    return np.unique(_digests(images)).tobytes()


def count_seen(images: Images, record: bytes) -> int:
    """Count the images of uint8 [N, 28, 28] that are in a record made by `digest_images`.

    Raises DataError if the record is not a whole number of digests.
    """
    if len(record) % DIGEST_BYTES:
        raise DataError(
            f"the record of training images is damaged: {len(record)} bytes are no whole number "
            f"of digests of {DIGEST_BYTES} bytes"
        )
    return int(np.isin(_digests(images), np.frombuffer(record, _DIGEST)).sum())


def _digests(images: Images) -> NDArray[np.bytes_]:
    """The first 5 bytes of the SHA-256 of each image's pixels."""
    digests = (hashlib.sha256(image.tobytes()).digest()[:DIGEST_BYTES] for image in images)
    return np.frombuffer(b"".join(digests), _DIGEST)
