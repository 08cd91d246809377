"""IDX files, plain or gzip-compressed: the form in which the data set is published.

A file is a big-endian header (a magic number that gives type and dimensions, then the size of each
dimension) and the values, one byte each. Nothing that a header claims is trusted before it is
checked, and never more is unpacked than it may claim.
"""

import gzip
import struct
import zlib
from io import BufferedReader
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fmnist_cli.constants import IMAGE_SIZE, NUM_CLASSES
from fmnist_cli.data.images import Images, Labels
from fmnist_cli.errors import DataError, MissingInput, StorageError

MAX_PACKED_ITEMS: Final = 1_000_000
"""Images in a compressed file (784 MB). Plain files are bounded by their own size."""

_GZIP_MAGIC: Final = b"\x1f\x8b"
_UNSIGNED_BYTES: Final = 0x0800
"""First half of the magic number; the last byte is the number of dimensions."""

_File: TypeAlias = gzip.GzipFile | BufferedReader
"""A packed file, read as what it holds, or a plain one."""


def read_images(path: Path) -> Images:
    """Read an IDX file of images; returns uint8 [N, 28, 28].

    Raises MissingInput where there is no file, DataError where it is no such file or damaged,
    StorageError where it can't be read.
    """
    return _read(path, (IMAGE_SIZE, IMAGE_SIZE))


def read_labels(path: Path) -> Labels:
    """Read an IDX file of labels; returns int64 [N], values 0..9. Raises as `read_images`."""
    labels = _read(path, ())
    if labels.max() >= NUM_CLASSES:
        position = int(np.argmax(labels >= NUM_CLASSES))
        raise DataError(
            f"'{path}': label {position} is {labels[position]}; expected 0 to {NUM_CLASSES - 1}"
        )
    return labels.astype(np.int64)


def is_idx(path: Path) -> bool:
    """Whether a file begins as an IDX file of images or labels does, plain or packed."""
    try:
        with _open(path) as file:
            start = file.read(4)
    except (OSError, EOFError, zlib.error):
        return False
    return start in (struct.pack(">I", _UNSIGNED_BYTES + n) for n in (1, 3))


def _read(path: Path, item_shape: tuple[int, ...]) -> NDArray[np.uint8]:
    try:
        with _open(path) as file:
            shape = _read_header(path, file, item_shape)
            return _read_values(path, file, shape)
    except FileNotFoundError:
        raise MissingInput(f"no file at '{path}'") from None
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DataError(f"'{path}' is damaged: {error}") from None
    except OSError as error:
        raise StorageError(f"'{path}' can't be read: {error.strerror}") from error


def _open(path: Path) -> _File:
    with path.open("rb") as file:
        is_packed = file.read(len(_GZIP_MAGIC)) == _GZIP_MAGIC
    return gzip.open(path) if is_packed else path.open("rb")


def _read_header(path: Path, file: _File, item_shape: tuple[int, ...]) -> tuple[int, ...]:
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
    if isinstance(file, gzip.GzipFile):
        if count > MAX_PACKED_ITEMS:
            raise DataError(
                f"'{path}' claims {count:,} {kind}; compressed files may hold "
                f"{MAX_PACKED_ITEMS:,}: unpack it with gunzip"
            )
    elif len(header) + int(np.prod(shape)) > path.stat().st_size:
        raise DataError(f"'{path}' is shorter than the {count:,} {kind} that its header claims")
    return shape


def _read_values(path: Path, file: _File, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    values = np.empty(shape, dtype=np.uint8)
    read_bytes = file.readinto(values.reshape(-1).data)
    if read_bytes < values.size:
        raise DataError(f"'{path}' ends after {read_bytes:,} of {values.size:,} values")
    if file.read(1):
        raise DataError(f"'{path}' goes on after the {values.size:,} values of its header")
    return values
