"""IDX files, plain or gzip-compressed: the form in which the data set is published.

A file is a big-endian header (a magic number that gives type and dimensions, then the size of each
dimension) and the values, one byte each. Nothing that a header claims is trusted before it is
checked, and never more is unpacked than it may claim.
"""

import re
import struct
from collections.abc import Sequence
from io import BufferedIOBase
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from fmnist_cli.constants import CLASS_NAMES, IMAGE_SIZE
from fmnist_cli.data.class_names import wrong_label
from fmnist_cli.data.images import Images, Labels
from fmnist_cli.data.packed import File, unpacked
from fmnist_cli.errors import DataError, FmnistError

MAX_PACKED_ITEMS: Final = 1_000_000
"""Images in a compressed file (784 MB). Plain files are bounded by their own size."""

_PIECE_BYTES: Final = 1 << 20
_UNSIGNED_BYTES: Final = 0x0800
"""First half of the magic number; the last byte is the number of dimensions."""
_NAME: Final = re.compile(
    r"(?P<prefix>(?:.*[-_.])?)(?P<split>train|t10k|test)"
    r"[-_.](?P<kind>images?[-_.]idx3|labels?[-_.]idx1)[-_.]ubyte(?P<gz>\.gz)?",
    re.IGNORECASE,
)
"""Names of the official files, also as EMNIST and other unpacking programs write them."""


def is_named(file: File) -> bool:
    """Whether a file has the name of one of the four files of a data set."""
    return _NAME.fullmatch(file.name) is not None


def find(files: Sequence[File], split: Literal["train", "test"]) -> tuple[File, File] | None:
    """Find the images and labels of a split by their names; None if one of the two is missing.

    Raises DataError if there are several sets, such as EMNIST's letters and digits.
    """
    found: dict[str, dict[str, File]] = {}
    for file in sorted(files, key=lambda file: not file.name.endswith(".gz")):
        name = _NAME.fullmatch(file.name)
        if name and (name["split"].lower() == "train") == (split == "train"):
            found.setdefault(name["prefix"], {}).setdefault(name["kind"][0].lower(), file)
    pairs = {prefix: (pair["i"], pair["l"]) for prefix, pair in found.items() if len(pair) == 2}
    if "" in pairs or len(pairs) < 2:
        return pairs.get("") or next(iter(pairs.values()), None)
    names = ", ".join(f"'{images.name}'" for images, _ in pairs.values())
    raise DataError(f"several {split} splits: {names}\nput the files of one into a directory")


def read_images(path: File) -> Images:
    """Read an IDX file of images; returns uint8 [N, 28, 28].

    Raises MissingInput where there is no file, DataError where it is no such file or damaged,
    StorageError where it can't be read.
    """
    return _read(path, (IMAGE_SIZE, IMAGE_SIZE))


def read_labels(path: File, classes: Sequence[str] = CLASS_NAMES) -> Labels:
    """Read an IDX file of labels of `classes`; returns int64 [N]. Raises as `read_images`."""
    labels = _read(path, ()).astype(np.int64)
    fault = wrong_label(labels, classes)
    if fault is not None:
        raise DataError(f"'{path}': {fault}")
    return labels


def is_idx(path: File) -> bool:
    """Whether a file begins as an IDX file of images or labels does, plain or packed."""
    try:
        with unpacked(path) as (file, _):
            start = file.read(4)
    except FmnistError:
        return False
    return start in (struct.pack(">I", _UNSIGNED_BYTES + n) for n in (1, 3))


def _read(path: File, item_shape: tuple[int, ...]) -> NDArray[np.uint8]:
    with unpacked(path) as (file, size):
        shape = _read_header(path, file, size, item_shape)
        return _read_values(path, file, shape)


def _read_header(
    path: File, file: BufferedIOBase, size: int | None, item_shape: tuple[int, ...]
) -> tuple[int, ...]:
    """Read the dimensions; what they claim is possible for this file."""
    magic = _UNSIGNED_BYTES + 1 + len(item_shape)
    form = f">{2 + len(item_shape)}I"
    header = file.read(struct.calcsize(form))
    kind = "images" if item_shape else "labels"
    if len(header) < struct.calcsize(form):
        raise DataError(f"'{path}' is no IDX file of {kind}: it ends inside the header")
    found_magic, count, *found_shape = struct.unpack(form, header)
    if found_magic != magic:
        raise DataError(
            f"'{path}' is no IDX file of {kind}: it begins with {found_magic:#010x}; "
            f"expected {magic:#010x}"
        )
    if tuple(found_shape) != item_shape:
        sides = "×".join(map(str, found_shape))
        raise DataError(f"'{path}' holds images of {sides}; expected {IMAGE_SIZE}×{IMAGE_SIZE}")
    if not count:
        raise DataError(f"'{path}' holds no {kind}")
    shape = (count, *item_shape)
    if size is None:
        if count > MAX_PACKED_ITEMS:
            raise DataError(
                f"'{path}' claims {count:,} {kind}; compressed files may hold "
                f"{MAX_PACKED_ITEMS:,}: unpack it first"
            )
    elif len(header) + int(np.prod(shape)) > size:
        raise DataError(f"'{path}' is shorter than the {count:,} {kind} that its header claims")
    return shape


def _read_values(path: File, file: BufferedIOBase, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    values = np.empty(shape, dtype=np.uint8)
    content, read_bytes = values.reshape(-1).data, 0
    # In pieces, because gzip unpacks as much as it is asked for before it hands it over.
    while piece := file.readinto(content[read_bytes : read_bytes + _PIECE_BYTES]):
        read_bytes += piece
    if read_bytes < values.size:
        raise DataError(f"'{path}' ends after {read_bytes:,} of {values.size:,} values")
    if file.read(1):
        raise DataError(f"'{path}' goes on after the {values.size:,} values of its header")
    return values
