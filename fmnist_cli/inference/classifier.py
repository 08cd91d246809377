"""One call for both backends: raw pixels to class probabilities."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fmnist_cli.checkpoints.metadata import DataRecord, ModelMetadata
from fmnist_cli.constants import CLASS_NAMES
from fmnist_cli.data.images import Images, check_images
from fmnist_cli.errors import CheckFailed

if TYPE_CHECKING:
    from fmnist_cli.models.cost import Layer

Probabilities: TypeAlias = NDArray[np.float32]
"""float32 [N, K]; each row sums to 1."""


class Classifier(ABC):
    """A model loaded from a file.

    Call it with raw pixels, uint8 [N, 28, 28]; it returns probabilities, float32 [N, K].
    """

    backend: ClassVar[Literal["torch", "onnx"]]
    batch_size = 256
    """Images that go through the network together."""

    def __init__(
        self,
        path: Path,
        metadata: ModelMetadata | None,
        classes: tuple[str, ...] | None = None,
    ) -> None:
        """classes: of a model without metadata; None: Fashion-MNIST's."""
        self.path = path
        self.classes = metadata.classes if metadata is not None else classes or CLASS_NAMES
        """Names by label."""
        self.metadata = metadata
        """What the file records; None for an ONNX file of another program."""
        self.assumed = ""
        """What had to be assumed about weights without metadata, as a sentence."""
        self.runtime = ""
        """What computes and how, for a reader."""

    @property
    def trained_on(self) -> DataRecord | None:
        """The training data, if the file records it."""
        return self.metadata.data if self.metadata is not None else None

    def training_digests(self) -> bytes:
        """Digests of the training images; empty if the file holds none.

        Raises CheckpointError if they are damaged.
        """
        return b""

    def layers(self) -> "Sequence[Layer] | None":
        """The layers of the network; None if only its own runtime knows them."""
        return None

    def __call__(self, images: Images, *, tta: bool = False) -> Probabilities:
        """Classify uint8 [N, 28, 28]; returns float32 [N, K].

        tta: average the probabilities of each image and of its mirror image.
        Raises DataError for another shape or dtype, CheckFailed if a probability is not finite.
        """
        check_images(images)
        probabilities = np.empty((len(images), len(self.classes)), np.float32)
        for start in range(0, len(images), self.batch_size):
            batch = slice(start, start + self.batch_size)
            probabilities[batch] = self._classify(images[batch])
            if tta:
                probabilities[batch] += self._classify(images[batch, :, ::-1])
                probabilities[batch] /= 2
        if not np.isfinite(probabilities).all():
            raise CheckFailed(f"'{self.path}' gives probabilities that are not finite")
        return probabilities

    @abstractmethod
    def _classify(self, images: Images) -> Probabilities:
        """Classify one batch: uint8 [B, 28, 28] to float32 [B, K]."""
