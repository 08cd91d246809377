"""Facts about the data set and the project.

Source for the data set: Xiao, Rasul, Vollgraf, "Fashion-MNIST: a Novel Image Dataset for
Benchmarking Machine Learning Algorithms" (2017), and the four files published by Zalando.
"""

from dataclasses import dataclass
from typing import Final, Literal

VERSION: Final = "0.1.0"

CLASS_NAMES: Final = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
"""Index = label."""

NUM_CLASSES: Final = len(CLASS_NAMES)
IMAGE_SIZE: Final = 28
NUM_PIXELS: Final = IMAGE_SIZE * IMAGE_SIZE
PIXEL_MEAN: Final = 0.2860
"""Mean over the 60,000 training images, pixels scaled to 0..1."""
PIXEL_STD: Final = 0.3530
"""Standard deviation over the same pixels."""


@dataclass(frozen=True, slots=True)
class DataFile:
    """One official file: gzip-compressed IDX."""

    name: str
    size_bytes: int
    sha256: str
    """Hash of the compressed file."""


TRAIN_IMAGES: Final = DataFile(
    "train-images-idx3-ubyte.gz",
    26_421_880,
    "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
)
TRAIN_LABELS: Final = DataFile(
    "train-labels-idx1-ubyte.gz",
    29_515,
    "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
)
TEST_IMAGES: Final = DataFile(
    "t10k-images-idx3-ubyte.gz",
    4_422_102,
    "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
)
TEST_LABELS: Final = DataFile(
    "t10k-labels-idx1-ubyte.gz",
    5_148,
    "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
)

FILES: Final[dict[Literal["train", "test"], tuple[DataFile, DataFile]]] = {
    "train": (TRAIN_IMAGES, TRAIN_LABELS),
    "test": (TEST_IMAGES, TEST_LABELS),
}
"""Images and labels of each official split."""

MIRRORS: Final = (
    "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
    "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
    # The original host has no HTTPS; the SHA-256 hashes above make it safe nevertheless.
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
)
