"""NumPy files: `.npz` archives of images and labels, as Keras saves them; `.npy`, images alone."""

import warnings
import zipfile
from io import BufferedIOBase
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from numpy.lib import format as npy_format
from numpy.typing import NDArray

from fmnist_cli.constants import CLASS_NAMES, IMAGE_SIZE, NUM_PIXELS
from fmnist_cli.data.images import Images, LabeledImages, as_labels, as_pixels
from fmnist_cli.data.packed import MAX_PACKED_ITEMS, open_member, open_zip
from fmnist_cli.errors import DataError, StorageError

NPY_SUFFIX: Final = ".npy"
NPZ_SUFFIX: Final = ".npz"
MAX_BYTES: Final = MAX_PACKED_ITEMS * NUM_PIXELS * 8
"""In an array: a million images of float64. Archives may unpack to a thousand times their size."""

_NAMES: Final = {
    "train": (("x_train", "y_train"), ("train_images", "train_labels"), ("images", "labels")),
    "test": (("x_test", "y_test"), ("test_images", "test_labels")),
}
_SIZE: Final = (IMAGE_SIZE, IMAGE_SIZE)
_SHAPES: Final = (_SIZE, (*_SIZE, 1), (1, *_SIZE), (NUM_PIXELS,))
_EXPECTED: Final = "expected x_train, y_train, x_test, y_test, or images, labels"


def is_npz(path: Path) -> bool:
    """Whether a zip archive holds NumPy arrays. Raises DataError if it is damaged."""
    with open_zip(path) as archive:
        return any(name.endswith(".npy") for name in archive.namelist())


def has_split(path: Path, split: Literal["train", "test"]) -> bool:
    """Whether an archive holds a split. Raises DataError if it is damaged, or holds half of it."""
    with open_zip(path) as archive:
        return _names(archive, split) is not None


def read(
    path: Path, split: Literal["train", "test"], classes: tuple[str, ...] = CLASS_NAMES
) -> LabeledImages:
    """Read the images and labels of a split, or of `train` if that is the only one.

    Images are numbers of any type, [N, 28, 28], [N, 28, 28, 1], [N, 1, 28, 28] or [N, 784], with
    whole values from 0 to 255; labels are names of `classes` or numbers, [N] or [N, 1]. Nothing is
    unpickled.
    Raises StorageError if the file can't be read, DataError for any other content.
    """
    try:
        with open_zip(path) as archive, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of files that Python 2 has written
            names = _names(archive, split) or _names(archive, "train")
            if names is None:
                found = ", ".join(name.removesuffix(".npy")[:40] for name in archive.namelist()[:8])
                raise DataError(f"'{path}' holds {found!r}\n{_EXPECTED}")
            images, labels = (_read_array(archive, name) for name in names)
    except OSError as error:
        raise StorageError(f"'{path}' can't be read: {error.strerror}") from error
    if labels.shape[1:] == (1,):
        labels = labels[:, 0]
    try:
        pixels = _shaped(images)
        if labels.ndim != 1:
            raise DataError(
                f"labels are {labels.dtype} {list(labels.shape)[:5]}; "
                f"expected [{len(pixels)}]; for one-hot labels: labels.argmax(axis=1)"
            )
        return LabeledImages(pixels, as_labels(labels, classes), classes)
    except DataError as error:
        raise DataError(f"'{path}': {error}") from None


def read_npy(path: Path) -> Images:
    """Read a file of images as `read` takes them, or of one, [28, 28]; returns uint8 [N, 28, 28].

    uint8 is mapped into memory. Raises DataError if the file is not such an array.
    """
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except OSError as error:
        raise DataError(f"'{path}' can't be read: {error.strerror or error}") from None
    except Exception as error:  # noqa: BLE001 - NumPy parses the header as Python source
        reason = str(error).partition("\n")[0]
        raise DataError(f"'{path}' is not a .npy file, or a damaged one: {reason}") from None
    if not isinstance(array, np.ndarray):
        array.close()
        raise DataError(f"'{path}' is a .npz archive; expected a single array, .npy")
    try:
        return _shaped(array[None] if array.shape == _SIZE else array)
    except DataError as error:
        raise DataError(f"'{path}': {error}") from None


def _names(archive: zipfile.ZipFile, split: str) -> tuple[str, str] | None:
    members = {name.lower(): name for name in archive.namelist()}
    for pair in _NAMES[split]:
        found = [members[f"{name}.npy"] for name in pair if f"{name}.npy" in members]
        if len(found) == 2:
            return found[0], found[1]
        if found and split == "test":  # training images would be evaluated in its place
            expected = " and ".join(pair)
            raise DataError(f"'{archive.filename}' holds '{found[0]}' alone; expected {expected}")
    return None


def _read_array(archive: zipfile.ZipFile, name: str) -> NDArray[Any]:
    shown = f"'{archive.filename}/{name}'"
    member = archive.getinfo(name)
    if member.file_size > MAX_BYTES:
        raise DataError(f"{shown} has {member.file_size:,} bytes; expected {MAX_BYTES:,} at most")
    with open_member(archive, name) as file:
        try:
            count = _read_count(file)
            if member.compress_type != zipfile.ZIP_STORED and count > MAX_PACKED_ITEMS:
                raise DataError(
                    f"{shown} claims {count:,} items; compressed arrays may hold "
                    f"{MAX_PACKED_ITEMS:,}: save them by np.savez"
                )
            file.seek(0)
            # Memory that a header claims is only taken once it is filled.
            array: NDArray[Any] = npy_format.read_array(file, allow_pickle=False)
        except (OSError, DataError):
            raise
        except Exception as error:  # noqa: BLE001 - NumPy parses the header as Python source
            reason = str(error).partition("\n")[0][:200]
            raise DataError(f"{shown} is not an array, or damaged: {reason}") from None
    if array.dtype.kind not in "biufU":
        raise DataError(f"{shown} holds {array.dtype}; expected numbers or class names")
    return array


def _read_count(file: BufferedIOBase) -> int:
    """The first dimension of the array that a file's header claims; 0 for a scalar."""
    is_first = npy_format.read_magic(file) == (1, 0)
    read = npy_format.read_array_header_1_0 if is_first else npy_format.read_array_header_2_0
    shape: tuple[int, ...] = read(file)[0]
    return shape[0] if shape else 0


def _shaped(images: NDArray[Any]) -> NDArray[np.uint8]:
    if images.shape[1:] not in _SHAPES or not len(images):
        colors = [axis for axis in (1, 3) if images.ndim == 4 and images.shape[axis] == 3]
        advice = (
            f"\nfor RGB images: images.mean(axis={colors[0]}).astype('uint8')" if colors else ""
        )
        raise DataError(
            f"images are {list(images.shape)[:5]}; "
            f"expected [N, 28, 28], [N, 28, 28, 1], [N, 1, 28, 28] or [N, 784]{advice}"
        )
    return as_pixels(np.ascontiguousarray(images).reshape(-1, IMAGE_SIZE, IMAGE_SIZE))
