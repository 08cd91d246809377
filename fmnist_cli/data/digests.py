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
_DIGEST: Final = np.dtype(f"S{DIGEST_BYTES}")


def digest_images(images: Images) -> bytes:
    """Digest uint8 [N, 28, 28]; returns the sorted, distinct digests, 5 bytes each."""
    return np.unique(_digests(images)).tobytes()


def count_seen(images: Images, record: bytes) -> int:
    """How many of uint8 [N, 28, 28] are in a record that `digest_images` gave.

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
