"""A model file to the classifier of its backend."""

from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from fmnist_cli.checkpoints.sniff import describe
from fmnist_cli.data.normalization import Normalization
from fmnist_cli.errors import CheckpointError, Unavailable, UsageError
from fmnist_cli.inference.classifier import Classifier
from fmnist_cli.pretrained import locate, no_model

if TYPE_CHECKING:
    from torch import nn

_ZIP_MAGIC: Final = b"PK\x03\x04"
_ONNX_MAGIC: Final = b"\x08"
"""Protobuf's tag of ModelProto's first field, `ir_version`; onnx.proto makes it mandatory."""


def load(
    path: str | Path,
    *,
    network: "str | nn.Module | None" = None,
    normalization: Normalization | None = None,
    stem: Literal["small", "stock"] | None = None,
    classes: tuple[str, ...] | None = None,
    device: str = "auto",
    threads: int | None = None,
    precision: str = "fp32",
) -> Classifier:
    """Read a model file, .pt or .onnx; its content decides which, not its name.

    path: a file, or the name `pretrained` for the model that comes with the program.
    network, normalization, stem, classes: for weights without metadata: see `open_model`.
    `network` also for a model whose network is the user's own, by name or built; `normalization`
    and `classes` also for an ONNX file of one's own, which maps float32 [N, 1, 28, 28] to logits.
    device: auto, cpu, cuda, cuda:N or mps. threads: CPU threads (default: the usable cores).
    precision: arithmetic of a .pt's network: fp32, bf16, fp16 or auto; an ONNX file brings its own.
    Raises MissingInput if there is no file, CheckpointError if it is not a model, and Unavailable
    if the device or the backend's package is missing.
    """
    path = locate(path)
    try:
        if needs_torch(path, network):
            from fmnist_cli.inference.torch_backend import open_classifier as open_torch

            return open_torch(
                path,
                network=network,
                normalization=normalization,
                stem=stem,
                classes=classes,
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
    if stem is not None:
        raise UsageError(f"'{path}' is ONNX; --stem is for bare weights")
    if precision not in ("fp32", "auto"):
        raise UsageError(
            f"--precision {precision} is for a .pt file; '{path}' is ONNX and computes as exported"
        )
    return open_onnx(
        path, normalization=normalization, classes=classes, device=device, threads=threads
    )


def needs_torch(path: Path, network: "str | nn.Module | None" = None) -> bool:
    """Whether torch runs a model file, rather than ONNX Runtime.

    network: as in `load`. Raises MissingInput and CheckpointError as `load` does.
    """
    return network is not None or _magic(path) == _ZIP_MAGIC


def _magic(path: Path) -> bytes:
    """First bytes of a file, which are a .pt's or an ONNX file's."""
    if path.is_dir():
        raise CheckpointError(f"'{path}' is a directory; expected a model file, .pt or .onnx")
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
