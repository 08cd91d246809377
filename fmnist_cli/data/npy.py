"""Images from a NumPy file (`.npy`)."""

from pathlib import Path
from typing import Final

import numpy as np

from fmnist_cli.constants import IMAGE_SIZE
from fmnist_cli.data.images import Images
from fmnist_cli.errors import DataError

NPY_SUFFIX: Final = ".npy"


def read_images(path: Path) -> Images:
    """Map a file of uint8 [N, 28, 28] or [28, 28] into memory; returns uint8 [N, 28, 28].

    Raises DataError if the file is not such an array.
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
    size = (IMAGE_SIZE, IMAGE_SIZE)
    if array.dtype != np.uint8 or array.ndim not in (2, 3) or array.shape[-2:] != size:
        raise DataError(
            f"'{path}' holds {array.dtype} {list(array.shape)}; expected uint8 "
            f"[N, {IMAGE_SIZE}, {IMAGE_SIZE}] with values from 0 to 255"
        )
    return array.reshape(-1, *size)
