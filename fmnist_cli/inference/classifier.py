"""One call, two backends: raw pixels to class probabilities."""

from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar, Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fmnist_cli.checkpoints.metadata import DataRecord, ModelMetadata
from fmnist_cli.checkpoints.sniff import describe
from fmnist_cli.constants import CLASS_NAMES, IMAGE_SIZE, NUM_CLASSES
from fmnist_cli.data.images import Images
from fmnist_cli.data.normalization import Normalization
from fmnist_cli.errors import (
    CheckFailed,
    CheckpointError,
    DataError,
    Unavailable,
    UsageError,
)
from fmnist_cli.pretrained import locate, no_model

Probabilities: TypeAlias = NDArray[np.float32]
"""float32 [N, 10]; each row sums to 1."""

_ZIP_MAGIC: Final = b"PK\x03\x04"
_ONNX_MAGIC: Final = b"\x08"
"""Protobuf's tag of ModelProto's first field, `ir_version`; onnx.proto makes it mandatory."""


class Classifier(ABC):
    """A model that was read from a file.

    Call it with uint8 [N, 28, 28], raw pixels and any N; it gives float32 [N, 10] probabilities.
    """

    backend: ClassVar[Literal["torch", "onnx"]]
    batch_size = 256
    """Images that go through the network at once."""

    def __init__(self, path: Path, metadata: ModelMetadata | None) -> None:
        self.path = path
        self.metadata = metadata
        """What the file records; None for an ONNX file of another program."""
        self.assumed = ""
        """What had to be assumed about weights without metadata, as a sentence."""
        self.lanes = 1
        """Batches that are best classified at once, each by a thread of its own: see `lane`."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names by label; Fashion-MNIST's if the file records none."""
        return self.metadata.classes if self.metadata is not None else CLASS_NAMES

    @property
    def trained_on(self) -> DataRecord | None:
        """The training data, if the file records it."""
        return self.metadata.data if self.metadata is not None else None

    def __call__(self, images: Images, *, tta: bool = False) -> Probabilities:
        """Classify uint8 [N, 28, 28]; returns float32 [N, 10].

        tta: average the probabilities of each image and of its mirror image.
        Raises DataError for another shape or dtype, CheckFailed where a probability is not finite.
        """
        if images.dtype != np.uint8 or images.shape[1:] != (IMAGE_SIZE, IMAGE_SIZE):
            raise DataError(
                f"images are {images.dtype} {list(images.shape)}; "
                f"expected uint8 [N, {IMAGE_SIZE}, {IMAGE_SIZE}]"
            )
        probabilities = np.empty((len(images), NUM_CLASSES), np.float32)
        for start in range(0, len(images), self.batch_size):
            batch = slice(start, start + self.batch_size)
            probabilities[batch] = self._classify(images[batch])
            if tta:
                probabilities[batch] += self._classify(images[batch, :, ::-1])
                probabilities[batch] /= 2
        if not np.isfinite(probabilities).all():
            raise CheckFailed(f"'{self.path}' gives probabilities that are not finite")
        return probabilities

    def lane(self) -> "Classifier":
        """Give what `lanes` threads may call at once, each for a batch of its own."""
        return self

    @abstractmethod
    def _classify(self, images: Images) -> Probabilities:
        """Classify one batch: uint8 [B, 28, 28] to float32 [B, 10]."""


def load(
    path: str | Path,
    *,
    network: str | None = None,
    normalization: Normalization | None = None,
    stem: Literal["small", "stock"] | None = None,
    device: str = "auto",
    threads: int | None = None,
    precision: str = "fp32",
) -> Classifier:
    """Read a model file, .pt or .onnx; its content decides which, not its name.

    path: a file, or the name `pretrained` for the model that comes with the program.
    network, normalization, stem: for weights without metadata: see `open_model`.
    device: auto, cpu, cuda, cuda:N or mps. threads: CPU threads (default: the usable cores).
    precision: arithmetic of a .pt's network: fp32, bf16, fp16 or auto; an ONNX file brings its own.
    Raises MissingInput where there is no file, CheckpointError where it is no model, and
    Unavailable where the device or the backend's package is not there.
    """
    path = locate(path)
    try:
        if network is not None or _magic(path) == _ZIP_MAGIC:
            from fmnist_cli.inference.torch_backend import open_classifier as open_torch

            return open_torch(
                path,
                network=network,
                normalization=normalization,
                stem=stem,
                device=device,
                threads=threads,
                precision=precision,
            )
        from fmnist_cli.inference.onnx_backend import open_classifier as open_onnx
    except ModuleNotFoundError as error:
        if error.name not in ("torch", "onnx", "onnxruntime"):
            raise
        raise Unavailable(
            f"'{path}' needs the package '{error.name}': pip install {error.name}"
        ) from None
    if normalization is not None or stem is not None:
        raise UsageError(f"'{path}' is ONNX; --normalization and --stem are for bare weights")
    if precision not in ("fp32", "auto"):
        raise UsageError(
            f"--precision {precision} is for a .pt file; '{path}' is ONNX and computes as exported"
        )
    return open_onnx(path, device=device, threads=threads)


def _magic(path: Path) -> bytes:
    """First bytes of a file, which are a .pt's or an ONNX file's."""
    if path.is_dir():
        raise CheckpointError(f"'{path}' is a folder; expected a model file, .pt or .onnx")
    try:
        with path.open("rb") as file:
            magic = file.read(len(_ZIP_MAGIC))
    except FileNotFoundError:
        raise no_model(path) from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise CheckpointError(f"the model '{path}' can't be read: {reason}") from None
    if magic != _ZIP_MAGIC and not magic.startswith(_ONNX_MAGIC):
        raise CheckpointError(f"'{path}' is not a model: {describe(path)}")
    return magic
