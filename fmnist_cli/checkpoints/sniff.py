"""What a file is that is not a model: told by its first bytes, so that an error can say so."""

import shlex
from pathlib import Path
from typing import Final

_EXPECTED: Final = "a model is a .pt file of fmnist train or an .onnx file of fmnist export-onnx"
_WEIGHTS: Final = "if it holds the weights of a known network, name the network: --model NAME"
_INPUT: Final = "the model comes first, then the inputs: fmnist predict MODEL INPUT…"
_HEAD_BYTES: Final = 16
_LEGACY_MAGIC: Final = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."
"""The pickled number with which torch.save began until version 1.5."""

_KINDS: Final[tuple[tuple[bytes, str, str], ...]] = (
    (b"\x89HDF", "an HDF5 file, as Keras writes them", _EXPECTED),
    (b"\x80", "a bare pickle, which could run code when it is opened", _WEIGHTS),
    (b"\x89PNG", "an image", _INPUT),
    (b"\xff\xd8\xff", "an image", _INPUT),
    (b"GIF8", "an image", _INPUT),
    (b"BM", "an image", _INPUT),
    (b"RIFF", "an image", _INPUT),
    (b"II*\x00", "an image", _INPUT),
    (b"MM\x00*", "an image", _INPUT),
    (b"\x00\x00\x08", "an IDX file", _INPUT),
    (b"\x1f\x8b", "a gzip file", _INPUT),
    (b"label,", "a CSV file", _INPUT),
    (b"pixel1,", "a CSV file", _INPUT),
    (b"version https://", "a Git LFS pointer", "fetch what it points to: git lfs pull"),
)
"""First bytes, what such a file is, and what helps."""


def describe(path: Path) -> str:
    """What a file is that is not a model, and on a second line what was expected.

    Raises OSError if it can't be read.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    if not head:
        return f"it is empty\n{_EXPECTED}"
    if head.startswith(_LEGACY_MAGIC):
        return (
            "it is in the format that torch used until version 1.5\n"
            f"convert it: {conversion(path)}\n"
            "then open weights.pt in its place"
        )
    if head[8:9] == b"{":  # a length of 8 bytes, then JSON
        return f"it is a safetensors file, weights without their network\n{_EXPECTED}"
    for magic, kind, help_text in _KINDS:
        if head.startswith(magic):
            return f"it is {kind}\n{help_text}"
    return f"it is of another kind, or damaged\n{_EXPECTED}"


def conversion(path: str | Path) -> str:
    """The command that rewrites a state dict in today's format, whatever device it was saved on."""
    loaded = f"torch.load({str(path)!r}, map_location='cpu', weights_only=True)"
    program = f"import torch; torch.save({loaded}, 'weights.pt')"
    is_plain = not any(sign in program for sign in '"$`\\!')
    return f'python -c "{program}"' if is_plain else f"python -c {shlex.quote(program)}"
