"""What a pickle would call if it were read, told without reading it."""

import pickletools
import zipfile
from typing import Final

from fmnist_cli.errors import CheckpointError

_PICKLE_MEMBER: Final = "data.pkl"
_MAX_PICKLE_BYTES: Final = 16_000_000
_STORAGES: Final = ("Float", "Double", "Half", "BFloat16", "Long", "Int", "Short", "Char", "Byte")
_ALLOWED: Final = frozenset(
    {
        "collections OrderedDict",
        "torch._utils _rebuild_tensor_v2",
        "torch._utils _rebuild_parameter",
        "torch BoolStorage",
        *(f"torch {kind}Storage" for kind in _STORAGES),
    }
)
"""All that torch.save names for tensors in plain containers."""
_REFUSED_OPCODES: Final = frozenset(
    {"STACK_GLOBAL", "INST", "OBJ", "NEWOBJ", "NEWOBJ_EX", "EXT1", "EXT2", "EXT4", "PERSID"}
)
"""Other ways to name or to build an object; torch.save's protocol 2 has no need of them here."""


def refuse_code(archive: zipfile.ZipFile, path: str) -> None:
    """Raise CheckpointError where the pickle of a torch zip is more than tensors and plain data.

    torch's own loader refuses most of this too; this list is shorter, does not grow with torch, and
    the file is refused before torch sees it.
    """
    for member in archive.infolist():
        if member.filename.rpartition("/")[2] != _PICKLE_MEMBER:
            continue
        if member.file_size > _MAX_PICKLE_BYTES:
            raise CheckpointError(f"'{path}' is no model file: its pickle is too large")
        foreign = _foreign_name(archive.read(member), path)
        if foreign is not None:
            raise CheckpointError(whole_model(path, f"it names {foreign}"))


def whole_model(path: str, why: str) -> str:
    """Tell that a file holds objects rather than weights, and how its owner converts it."""
    return (
        f"'{path}' is a whole pickled object, and opening it could run code: {why}\n"
        'if it is your own, convert it where its class can be imported: python -c "import torch; '
        f"torch.save(torch.load('{path}', weights_only=False).state_dict(), 'weights.pt')\"\n"
        "then name its network: --model NAME, with weights.pt in its place"
    )


def _foreign_name(pickle: bytes, path: str) -> str | None:
    """The first thing that a pickle names and tensors have no need of; None where there is none."""
    try:
        for opcode, argument, _position in pickletools.genops(pickle):
            if opcode.name == "GLOBAL" and argument not in _ALLOWED:
                return str(argument)[:80].replace(" ", ".")
            if opcode.name in _REFUSED_OPCODES:
                return f"an object by {opcode.name}"
    except (ValueError, IndexError, OverflowError, MemoryError) as error:
        raise CheckpointError(
            f"'{path}' is damaged: its pickle can't be followed: {error}"
        ) from None
    return None
