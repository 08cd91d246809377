"""Short digests of images: which of them a model has seen, at 5 bytes an image.

Two different images share a digest with a chance of 2**-40: judging 10,000 images by a record of
60,000 gives 0.0005 false matches on average.
"""

import hashlib
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fmnist_cli.data.images import Images
from fmnist_cli.errors import DataError

DIGEST_BYTES: Final = 5
ONNX_RECORD_KEY: Final = "fmnist.trained_on"
"""Entry of an ONNX file's metadata that holds a record of digests, as base64."""


def digest_images(images: Images) -> bytes:
    """Digest uint8 [N, 28, 28]; returns the sorted, distinct digests, 5 bytes each."""
    distinct = np.unique(_digests(images))
    return distinct.view(np.uint8).reshape(-1, 8)[:, -DIGEST_BYTES:].tobytes()


def seen_mask(images: Images, record: bytes) -> NDArray[np.bool_]:
    """Which of uint8 [N, 28, 28] are in a record that `digest_images` gave: bool [N].

    Raises DataError where the record is not a whole number of digests.
    """
    if len(record) % DIGEST_BYTES:
        raise DataError(
            f"the record of training images is damaged: {len(record)} bytes are no whole number "
            f"of digests of {DIGEST_BYTES} bytes"
        )
    return np.isin(_digests(images), _widen(record))


def count_seen(images: Images, record: bytes) -> int:
    """How many of uint8 [N, 28, 28] are in a record that `digest_images` gave."""
    return int(seen_mask(images, record).sum())


def _digests(images: Images) -> NDArray[np.uint64]:
    """One number an image: the first 5 bytes of the SHA-256 of its pixels."""
    contiguous = np.ascontiguousarray(images)
    return _widen(
        b"".join(hashlib.sha256(image.data).digest()[:DIGEST_BYTES] for image in contiguous)
    )


def _widen(record: bytes) -> NDArray[np.uint64]:
    """Digests as big-endian numbers, which sort as their bytes do."""
    digests = np.frombuffer(record, np.uint8).reshape(-1, DIGEST_BYTES)
    padded = np.zeros((len(digests), 8), np.uint8)
    padded[:, -DIGEST_BYTES:] = digests
    return padded.view(">u8").reshape(-1)
