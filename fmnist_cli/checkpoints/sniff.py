"""What a file is that is not a model: told by its first bytes, so that an error can say so."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from fmnist_cli.checkpoints.pickle_scan import quoted

_ZIP_MAGIC: Final = b"PK\x03\x04"

_EXPECTED: Final = "a model is a .pt file of fmnist train or an .onnx file of fmnist export-onnx"
_NAME_IT: Final = "if it holds the weights of a known network, name the network: --model NAME"
_SAVE_WEIGHTS: Final = "save the weights with torch.save(model.state_dict(), 'weights.pt')"
_INPUT: Final = (
    "the model comes first, then the inputs: fmnist predict MODEL INPUT…; "
    "the packaged one is pretrained"
)
_HEAD_BYTES: Final = 16
_LEGACY_MAGIC: Final = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."
"""The pickled number with which torch.save began until version 1.5."""

_KINDS: Final[tuple[tuple[int, bytes | tuple[bytes, ...], str, str], ...]] = (
    (0, b"\x89HDF", "an HDF5 file, as Keras writes them", _EXPECTED),
    (0, b"\x80", "a bare pickle, which could run code when it is opened", _SAVE_WEIGHTS),
    (0, b"\x08", "an ONNX file", "an ONNX file needs no --model; leave it out"),
    (0, b"\x93NUMPY", "a NumPy array", _INPUT),
    (4, b"TFL3", "a TensorFlow Lite model", _EXPECTED),
    (0, b"GGUF", "a GGUF file", _EXPECTED),
    (
        0,
        (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM", b"RIFF", b"II*\0", b"MM\0*"),
        "an image",
        _INPUT,
    ),
    (4, (b"ftypavif", b"ftyphei", b"jP  "), "an image", _INPUT),
    (0, b"\x00\x00\x08", "an IDX file", _INPUT),
    (0, b"\x1f\x8b", "a gzip file", _INPUT),
    (0, b"PAR1", "a Parquet file", _INPUT),
    (0, (b"label,", b"pixel1,"), "a CSV file", _INPUT),
    (0, b"%PDF", "a PDF file", _INPUT),
    (0, b"version https://", "a Git LFS pointer", "fetch what it points to: git lfs pull"),
)
"""Where which bytes stand, what such a file is, and what helps."""


def describe(path: Path) -> str:
    """What a file is that is not a model, and on a second line what was expected.

    Raises OSError if it can't be read.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
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
    if is_safetensors(path):
        return f"it is a safetensors file, weights without their network\n{_NAME_IT}"
    for start, magic, kind, help_text in _KINDS:
        if head[start:].startswith(magic):
            return f"it is {kind}\n{help_text}"
    return f"it is of an unknown kind, or damaged\n{_EXPECTED}"


def is_safetensors(path: Path) -> bool:
    """Whether a file begins as safetensors do: a length of 8 bytes, then JSON."""
    with path.open("rb") as file:
        head = file.read(9)
    return head[6:] == b"\0\0{"


def is_zip(path: Path) -> bool:
    """Whether a file begins as a zip does."""
    with path.open("rb") as file:
        return file.read(len(_ZIP_MAGIC)) == _ZIP_MAGIC


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
