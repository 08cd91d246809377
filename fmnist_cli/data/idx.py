"""IDX files, plain or packed: the form in which the data set is published.

A file is a big-endian header (a magic number that gives type and dimensions, then the size of each
dimension) and the values, one byte each. A header's claims are checked before they are trusted, and
no more is unpacked than they allow.
"""

import re
import struct
from collections.abc import Sequence
from io import BufferedIOBase
from pathlib import Path
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from fmnist_cli.constants import CLASS_NAMES, FILES, IMAGE_SIZE
from fmnist_cli.data.class_names import wrong_label
from fmnist_cli.data.images import Images, LabeledImages, Labels
from fmnist_cli.data.packed import MAX_PACKED_ITEMS, File, list_files, unpacked
from fmnist_cli.errors import DataError, FmnistError, MissingInput

_PIECE_BYTES: Final = 1 << 20
_UNSIGNED_BYTES: Final = 0x0800
"""First half of the magic number; the last byte is the number of dimensions."""
_NAME: Final = re.compile(
    r"(?P<prefix>(?:.*[-_.])?)(?P<split>train|t10k|test)"
    r"[-_.](?P<kind>images?[-_.]idx3|labels?[-_.]idx1)[-_.]ubyte(?P<gz>\.gz)?",
    re.IGNORECASE,
)
"""Names of the official files, also as EMNIST and other unpacking programs write them."""
_TORCHVISION: Final = ("FashionMNIST/raw", "FashionMNIST", "raw")
"""Below the directory that torchvision calls `root`, and below its parts."""


def is_named(file: File) -> bool:
    """Whether a file has the name of one of the four files of a data set."""
    return _NAME.fullmatch(file.name) is not None


def find(path: Path, split: Literal["train", "test"]) -> tuple[File, File] | None:
    """Find the images and labels of a split by their names; None if one of the two is missing.

    They are in a zip archive, a directory or the subdirectory that torchvision makes. Raises
    DataError if there are several sets, such as EMNIST's letters and digits.
    """
    folders = [path, *(path / name for name in _TORCHVISION if (path / name).is_dir())]
    return next((pair for folder in folders if (pair := _find_pair(folder, split))), None)


def _find_pair(folder: Path, split: Literal["train", "test"]) -> tuple[File, File] | None:
    found: dict[str, dict[str, File]] = {}
    for file in sorted(list_files(folder), key=lambda file: not file.name.endswith(".gz")):
        name = _NAME.fullmatch(file.name)
        if name and (name["split"].lower() == "train") == (split == "train"):
            found.setdefault(name["prefix"], {}).setdefault(name["kind"][0].lower(), file)
    pairs = {prefix: (pair["i"], pair["l"]) for prefix, pair in found.items() if len(pair) == 2}
    if "" in pairs or len(pairs) < 2:
        return pairs.get("") or next(iter(pairs.values()), None)
    names = ", ".join(f"'{images.name}'" for images, _ in pairs.values())
    raise DataError(f"several {split} splits: {names}\nput the files of one into a directory")


def read(path: Path, split: Literal["train", "test"], classes: tuple[str, ...]) -> LabeledImages:
    """Read a split's two files.

    Raises MissingInput if one is missing, and as `read_images`.
    """
    pair = find(path, split)
    if pair is None:
        names = " and ".join(f"'{file.name.removesuffix('.gz')}'" for file in FILES[split])
        raise MissingInput(f"'{path}' lacks the {split} split; expected {names}, or as .gz")
    images, labels = read_images(pair[0]), read_labels(pair[1], classes)
    if len(images) != len(labels):
        raise DataError(
            f"'{pair[0]}' holds {len(images):,} images, but '{pair[1]}' {len(labels):,} labels"
        )
    return LabeledImages(images, labels, classes)


def read_images(path: File) -> Images:
    """Read an IDX file of images; returns uint8 [N, 28, 28].

    Raises MissingInput if there is no file, DataError if it is not an IDX file of images or is
    damaged, StorageError if it can't be read.
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
        values = np.empty(_read_header(path, file, size, item_shape), np.uint8)
        content, read_bytes = values.reshape(-1).data, 0
        # In pieces, because gzip unpacks as much as it is asked for before it hands it over.
        while piece := file.readinto(content[read_bytes : read_bytes + _PIECE_BYTES]):
            read_bytes += piece
        if read_bytes < values.size:
            raise DataError(f"'{path}' ends after {read_bytes:,} of {values.size:,} values")
        if file.read(1):
            raise DataError(f"'{path}' goes on after the {values.size:,} values of its header")
    return values


def _read_header(
    path: File, file: BufferedIOBase, size: int | None, item_shape: tuple[int, ...]
) -> tuple[int, ...]:
    """Read the dimensions. Raises DataError if the file can't hold the values they claim."""
    magic = _UNSIGNED_BYTES + 1 + len(item_shape)
    form = f">{2 + len(item_shape)}I"
    header = file.read(struct.calcsize(form))
    kind = "images" if item_shape else "labels"
    if len(header) < struct.calcsize(form):
        raise DataError(f"'{path}' is not an IDX file of {kind}: it ends inside the header")
    found_magic, count, *found_shape = struct.unpack(form, header)
    if found_magic != magic:
        raise DataError(
            f"'{path}' is not an IDX file of {kind}: it begins with {found_magic:#010x}; "
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
