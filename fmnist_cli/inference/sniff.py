"""What a file is that is no model: told by its first bytes, so that an error can say it."""

from pathlib import Path
from typing import Final

_FORM: Final = "a model is a .pt of fmnist train or an .onnx of fmnist export-onnx"
_WEIGHTS: Final = "where it holds the weights of a known network, name that: --model NAME"
_INPUT: Final = "the model comes first, then what it is to work on: fmnist predict MODEL INPUT…"
_HEAD_BYTES: Final = 16

_KINDS: Final[tuple[tuple[bytes, str, str], ...]] = (
    (b"\x89HDF", "an HDF5 file, as Keras writes them", _FORM),
    (b"\x80", "a bare pickle, which could run code when it is opened", _WEIGHTS),
    (b"\x89PNG", "a picture", _INPUT),
    (b"\xff\xd8\xff", "a picture", _INPUT),
    (b"GIF8", "a picture", _INPUT),
    (b"BM", "a picture", _INPUT),
    (b"RIFF", "a picture", _INPUT),
    (b"II*\x00", "a picture", _INPUT),
    (b"MM\x00*", "a picture", _INPUT),
    (b"\x00\x00\x08", "an IDX file", _INPUT),
    (b"\x1f\x8b", "a packed file", _INPUT),
    (b"label,", "a CSV file", _INPUT),
    (b"pixel1,", "a CSV file", _INPUT),
    (b"version https://", "a pointer of Git LFS", "fetch what it points to: git lfs pull"),
)
"""First bytes, what such a file is, and what helps."""


def describe(path: Path) -> str:
    """What a file that is no model is, and in a second line what was expected.

    Raises OSError where it can't be read.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    if not head:
        return f"it is empty\n{_FORM}"
    if head[8:9] == b"{":  # a length of 8 bytes, then JSON
        return f"it holds safetensors, weights without their network\n{_FORM}"
    for magic, kind, help_text in _KINDS:
        if head.startswith(magic):
            return f"it is {kind}\n{help_text}"
    return f"it is of another kind, or damaged\n{_FORM}"
