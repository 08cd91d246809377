"""The kind of a file by its first bytes, so that an error can name what is not a model."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from fmnist_cli.checkpoints.pickle_scan import quoted
from fmnist_cli.errors import CheckpointError
from fmnist_cli.pretrained import no_model

ZIP_MAGIC: Final = b"PK\x03\x04"

_EXPECTED: Final = "a model is a .pt file of fmnist train or an .onnx file of fmnist export-onnx"
NAME_IT: Final = "name the network that the weights belong to: --model NAME or FILE.py:CLASS"
_SAVE_WEIGHTS: Final = "save the weights with torch.save(model.state_dict(), 'weights.pt')"
_INPUT: Final = (
    "the model comes first, then the inputs: fmnist predict MODEL INPUT…; "
    "the packaged one is pretrained"
)
_HEAD_BYTES: Final = 16
_LEGACY_MAGIC: Final = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."
"""The pickled number with which torch.save began until version 1.5."""

_KINDS: Final = (
    (rb"\x89HDF", "an HDF5 file, as Keras writes them", _EXPECTED),
    (rb"\x80", "a bare pickle, which could run code when it is opened", _SAVE_WEIGHTS),
    (rb"\x08", "an ONNX file", "an ONNX file needs no --model; leave it out"),
    (rb"\x93NUMPY", "a NumPy array", _INPUT),
    (rb"....TFL3", "a TensorFlow Lite model", _EXPECTED),
    (rb"GGUF", "a GGUF file", _EXPECTED),
    (rb"\x89PNG|\xff\xd8\xff|GIF8|BM|RIFF|II\*\0|MM\0\*", "an image", _INPUT),
    (rb"....(ftypavif|ftyphei|jP  )", "an image", _INPUT),
    (rb"\0\0\x08", "an IDX file", _INPUT),
    (rb"\x1f\x8b", "a gzip file", _INPUT),
    (rb"PAR1", "a Parquet file", _INPUT),
    (rb"label,|pixel1,", "a CSV file", _INPUT),
    (rb"%PDF", "a PDF file", _INPUT),
    (rb"version https://", "a Git LFS pointer", "fetch what it points to: git lfs pull"),
)
"""A pattern of the first bytes, what such a file is, and what helps."""


def read_head(path: Path) -> bytes:
    """The first bytes of a model file.

    Raises MissingInput if there is no such file, CheckpointError if it can't be read.
    """
    if path.is_dir():
        raise CheckpointError(f"'{path}' is a directory; expected a model file, .pt or .onnx")
    try:
        with path.open("rb") as file:
            return file.read(_HEAD_BYTES)
    except (FileNotFoundError, NotADirectoryError):
        raise no_model(path) from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise CheckpointError(f"the model '{path}' can't be read: {reason}") from None


def not_a_model(path: Path, head: bytes) -> CheckpointError:
    """The error for a file that is neither a zip nor ONNX, by what `read_head` returned."""
    return CheckpointError(f"'{path}' is not a model: {_describe(path, head)}")


def _describe(path: Path, head: bytes) -> str:
    """What a file is that is not a model, and what helps on the lines below."""
    if not head:
        return f"it is empty\n{_EXPECTED}"
    if head.startswith(_LEGACY_MAGIC):
        loaded = f"torch.load({str(path)!r}, map_location='cpu', weights_only=True)"
        convert = quoted(f"import torch; torch.save({loaded}, 'weights.pt')")
        return (
            "it is in the format that torch used until version 1.5\n"
            f"convert it: python -c {convert}\n"
            "then open weights.pt in its place; name its network: --model NAME"
        )
    if is_safetensors(head):
        return f"it is a safetensors file, weights without their network\n{NAME_IT}"
    for pattern, kind, help_text in _KINDS:
        if re.match(pattern, head, re.DOTALL):
            return f"it is {kind}\n{help_text}"
    return f"it is of an unknown kind, or damaged\n{_EXPECTED}"


def is_safetensors(head: bytes) -> bool:
    """Whether a file begins as safetensors do: a length of 8 bytes, then JSON."""
    return head[6:9] == b"\0\0{"


def zip_kind(names: Iterable[str]) -> str | None:
    """What a zip is that torch.save did not write, and what helps; None if it may have."""
    files = {name.rpartition("/")[2] for name in names}
    if any(file.endswith(".npy") for file in files):
        return f"it is a NumPy archive\n{_INPUT}"
    if "model.weights.h5" in files:
        return f"it is a Keras model\n{_EXPECTED}"
    if "constants.pkl" in files:
        return f"it is a TorchScript program\n{_SAVE_WEIGHTS}"
    if "data.pkl" not in files:
        return f"it is a zip of other files\n{_EXPECTED}"
    return None
