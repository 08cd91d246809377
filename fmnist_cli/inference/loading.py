"""A model file to the classifier of its backend."""

from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from fmnist_cli.checkpoints.sniff import ZIP_MAGIC, not_a_model, read_head
from fmnist_cli.data.normalization import Normalization
from fmnist_cli.errors import Unavailable, UsageError
from fmnist_cli.inference.classifier import Classifier
from fmnist_cli.pretrained import locate

if TYPE_CHECKING:
    import torch
    from torch import nn

_ONNX_MAGIC: Final = b"\x08"
"""Protobuf's tag of ModelProto's first field, `ir_version`; onnx.proto makes it mandatory."""


def load(
    path: str | Path,
    *,
    network: "str | nn.Module | None" = None,
    normalization: Normalization | None = None,
    stem: Literal["small", "stock"] | None = None,
    classes: tuple[str, ...] | None = None,
    device: "str | torch.device" = "auto",
    threads: int | None = None,
    precision: str = "fp32",
) -> Classifier:
    """Read a model file, .pt or .onnx; its content decides which, not its name.

    path: a file, or the name `pretrained` for the model that comes with the program.
    network, normalization, stem, classes: for weights without metadata: see `open_model`.
    `network` also for a model whose network is the user's own, by name or built; `normalization`
    and `classes` also for another program's ONNX file, which maps float32 [N, 1, 28, 28] to logits.
    device: auto, cpu, cuda, cuda:N or mps. threads: CPU threads (default: the usable cores).
    precision: arithmetic of a .pt's network: fp32, bf16, fp16 or auto; an ONNX file brings its own.
    Raises MissingInput if there is no file, CheckpointError if it is not a model, UsageError for
    invalid arguments, and Unavailable if the device or the backend's package is missing.
    """
    path = locate(path)
    given: object = network
    if isinstance(given, type):
        name = given.__name__
        raise UsageError(f"network is the class {name}; expected one that is built: {name}(…)")
    if threads is not None and threads < 1:
        raise UsageError(f"--threads is {threads}; expected at least 1")
    if classes is not None and len(set(classes)) < len(classes):
        raise UsageError(f"classes are {', '.join(classes)}; expected different names")
    device = str(device)
    try:
        if needs_torch(path, network):
            from fmnist_cli.checkpoints.weights import open_model
            from fmnist_cli.inference.torch_backend import TorchClassifier

            loaded = open_model(
                path, network, normalization=normalization, stem=stem, classes=classes
            )
            return TorchClassifier(
                path, loaded, device=device, threads=threads, precision=precision
            )
        from fmnist_cli.inference.onnx_backend import OnnxClassifier
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
    return OnnxClassifier(
        path, normalization=normalization, classes=classes, device=device, threads=threads
    )


def needs_torch(path: Path, network: "str | nn.Module | None" = None) -> bool:
    """Whether torch runs a model file, rather than ONNX Runtime.

    network: as in `load`. Raises MissingInput and CheckpointError as `load` does.
    """
    if network is not None:
        return True
    head = read_head(path)
    if not head.startswith((ZIP_MAGIC, _ONNX_MAGIC)):
        raise not_a_model(path, head)
    return head.startswith(ZIP_MAGIC)
