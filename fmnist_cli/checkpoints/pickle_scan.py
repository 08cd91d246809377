"""Look through a pickle before torch reads it: what it names, and which values it claims to hold.

A pickle is a program that builds objects. The few instructions and names that tensors in plain
containers need are listed here; a file that uses any other is refused, and nothing is executed.
torch's own restricted reader (`weights_only=True`) follows the pickle only afterwards.
"""

import pickletools
import shlex
from typing import Any, Final

from fmnist_cli.errors import CheckpointError

MAX_PICKLE_BYTES: Final = 16_000_000
MAX_OPERATIONS: Final = 500_000
"""The training state of torchvision's largest networks takes 400,000."""

_VALUE_BYTES: Final = {
    "DoubleStorage": 8,
    "LongStorage": 8,
    "FloatStorage": 4,
    "IntStorage": 4,
    "HalfStorage": 2,
    "BFloat16Storage": 2,
    "ShortStorage": 2,
    "CharStorage": 1,
    "ByteStorage": 1,
    "BoolStorage": 1,
}
"""Bytes per value, by torch's names for the storages."""
_NAMES: Final = frozenset(
    (
        "collections OrderedDict",
        "torch._utils _rebuild_tensor_v2",
        "torch._utils _rebuild_parameter",
    )
) | {f"torch {kind}" for kind in _VALUE_BYTES}
IGNORED_NAMES: Final = frozenset(
    (
        *("argparse Namespace", "numpy dtype", "_codecs encode", "collections Counter"),
        *(f"numpy.{core}.multiarray scalar" for core in ("core", "_core")),
        *(
            f"pathlib{part} {kind}Path"
            for part in ("", "._local")  # the second in Python 3.13
            for kind in ("Posix", "Windows", "")
        ),
        *("pytorch_lightning.utilities.parsing AttributeDict",),
        *(f"lightning{dot}fabric.utilities.data AttributeDict" for dot in "._"),
    )
)
"""Options, scores and paths that checkpoints keep beside weights; not imported: see `Ignored`."""


class Ignored(dict[Any, Any]):
    """Stands in for objects of other classes beside the weights; takes whatever they hold."""

    def __init__(self, *_: Any) -> None:
        super().__init__()

    def __setstate__(self, _: object) -> None:
        pass


_ATOMS: Final = frozenset(
    ("BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT", "BINUNICODE", "GLOBAL")
)
"""Instructions that push their argument."""
_OTHERS: Final = frozenset(
    (
        *("PROTO", "STOP", "MARK", "TUPLE", "TUPLE1", "TUPLE2", "TUPLE3", "REDUCE", "BUILD"),
        "NEWOBJ",
        *("NONE", "NEWTRUE", "NEWFALSE", "EMPTY_LIST", "EMPTY_DICT", "EMPTY_TUPLE"),
        *("APPEND", "APPENDS", "SETITEM", "SETITEMS"),
        *("BINPUT", "LONG_BINPUT", "BINGET", "LONG_BINGET", "BINPERSID"),
    )
)


def scan(content: bytes, path: str) -> dict[str, int]:
    """Check a pickle; returns the bytes of each storage that it refers to, by the storage's key.

    Follows the pickle just far enough to see the descriptions of its storages: torch writes each as
    a tuple of five plain values, ('storage', type, key, device, length), followed by BINPERSID.
    Raises CheckpointError if it names or does anything that tensors in plain containers do not
    need, is cut short, is too long, or describes one storage in two ways.
    """
    storages: dict[str, int] = {}
    memo: dict[Any, Any] = {}
    pushed: list[Any] = []  # since the last mark; None stands for whatever is not a plain value
    top: tuple[Any, ...] = ()  # left on top by the last instruction, if a tuple of plain values
    marks = 0
    try:
        for number, (opcode, argument, _) in enumerate(pickletools.genops(content)):
            if number == MAX_OPERATIONS:
                raise CheckpointError(f"'{path}' is not a model file: its pickle is too long")
            name = opcode.name
            if name == "GLOBAL" and argument not in _NAMES and argument not in IGNORED_NAMES:
                key = pushed[-1] if pushed and marks < 2 else None
                raise CheckpointError(_whole_model(path, str(argument)[:80], key))
            if name not in _ATOMS and name not in _OTHERS:
                raise CheckpointError(
                    f"'{path}' is not a file of weights: its pickle uses {name}\n"
                    "save weights with torch.save(model.state_dict(), 'weights.pt')"
                )
            if name.endswith("BINPUT"):
                memo[argument] = pushed[-1] if pushed else None
                continue
            if name == "BINPERSID" and not _add_storage(storages, top):
                raise CheckpointError(
                    f"'{path}' is damaged: it describes its values in no valid way"
                )
            top = tuple(pushed) if name == "TUPLE" else ()
            if name == "MARK":
                marks += 1
                pushed = []
            elif name in _ATOMS or name.endswith("BINGET"):
                pushed.append(argument if name in _ATOMS else memo.get(argument))
            else:
                pushed = [None]
    except (ValueError, IndexError, OverflowError) as error:
        raise CheckpointError(f"'{path}' is damaged: its pickle is invalid: {error}") from None
    return storages


def _add_storage(storages: dict[str, int], described: tuple[Any, ...]) -> bool:
    """Add the size of a storage by its key; False if its description is invalid, or another."""
    match described:
        case ("storage", str(kind), str(key), str(), int(length)) if (
            kind.removeprefix("torch ") in _VALUE_BYTES and length >= 0
        ):
            size = length * _VALUE_BYTES[kind.removeprefix("torch ")]
            return storages.setdefault(key, size) == size
    return False


def _whole_model(path: str, name: str, key: object) -> str:
    """The message for a file that holds objects instead of weights: how its owner converts it.

    name: what the pickle names. key: what stands before it: a str if it is an entry's key.
    """
    module, _, kind = name.partition(" ")
    loaded = f"torch.load({path!r}, map_location='cpu', weights_only=False)"
    entry = f"[{key!r}]" if isinstance(key, str) else ""
    convert = f"import torch; torch.save({loaded}{entry}.state_dict(), 'weights.pt')"
    if module == "__main__":  # a script's or a notebook's class, which nothing can import
        how = f"below the definition of class {kind}, as in the notebook that saved it: {convert}"
    else:
        how = f"where '{module}' can be imported: python -c {quoted(convert)}"
    return (
        f"'{path}' is a whole pickled object ({module}.{kind}), and opening it could run code\n"
        f"if it is your own, convert it {how}\n"
        "then open weights.pt in its place and name its network: --model NAME or FILE.py:CLASS"
    )


def quoted(program: str) -> str:
    """A program as one word of a shell, readable if possible."""
    is_plain = not any(sign in program for sign in '"$`\\!')
    return f'"{program}"' if is_plain else shlex.quote(program)
