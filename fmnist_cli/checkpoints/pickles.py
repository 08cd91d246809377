"""Pickles of tensors and plain data, followed without unpickling anything.

A pickle is a program for a machine that builds objects. This one knows the few instructions that
`torch.save` needs for tensors in plain containers; it calls nothing, imports nothing, and tells a
tensor by where its values are, so that sizes can be judged before any memory is taken for them.
"""

import pickletools
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Final

from fmnist_cli.errors import CheckpointError

MAX_PICKLE_BYTES: Final = 16_000_000
MAX_OPERATIONS: Final = 500_000
"""The state of a run of torchvision's largest networks takes 400,000."""
_MAX_DIMENSIONS: Final = 8

_STORAGES: Final = ("Float", "Double", "Half", "BFloat16", "Long", "Int", "Short", "Char", "Byte")
_STORAGE_NAMES: Final = frozenset(f"torch {kind}Storage" for kind in (*_STORAGES, "Bool"))
_KNOWN_NAMES: Final = _STORAGE_NAMES | {
    "collections OrderedDict",
    "torch._utils _rebuild_tensor_v2",
    "torch._utils _rebuild_parameter",
}
"""All that torch.save names for tensors in plain containers. None of them is called."""


@dataclass(frozen=True, slots=True)
class StorageRecord:
    """Values that a file keeps under `key`."""

    kind: str
    """torch's name for their type, such as `FloatStorage`."""
    key: str
    length: int


@dataclass(frozen=True, slots=True)
class TensorRecord:
    """A tensor of a file: a part of a storage, which holds every value that it shows."""

    storage: StorageRecord
    offset: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]


def read_pickle(content: bytes, path: str, start: int = 0) -> tuple[object, int]:
    """Follow one pickle that begins at `start`; gives what it builds and where it ends.

    That is a tree of dict, list, tuple, str, int, float, bool, None and TensorRecord. Raises
    CheckpointError for a pickle that names or does anything else, or that breaks off.
    """
    if len(content) > MAX_PICKLE_BYTES:
        raise CheckpointError(f"'{path}' is no model file: its pickle is too large")
    stream = BytesIO(content)
    stream.seek(start)
    machine = _Machine()
    try:
        for number, (opcode, argument, _position) in enumerate(pickletools.genops(stream)):
            if number == MAX_OPERATIONS:
                raise CheckpointError(f"'{path}' is no model file: its pickle is too long")
            machine.do(opcode.name, argument)
        return machine.result(), stream.tell()
    except _ForeignError as error:
        raise CheckpointError(whole_model(path, str(error))) from None
    except (_Fault, ValueError, IndexError, OverflowError, MemoryError) as error:
        raise CheckpointError(
            f"'{path}' is damaged: its pickle can't be followed: {error}"
        ) from None


def whole_model(path: str, why: str) -> str:
    """Tell that a file holds objects rather than weights, and how its owner converts it."""
    return (
        f"'{path}' is a whole pickled object, and opening it could run code: {why}\n"
        'if it is your own, convert it where its class can be imported: python -c "import torch; '
        f"torch.save(torch.load('{path}', weights_only=False).state_dict(), 'weights.pt')\"\n"
        "then name its network: --model NAME, with weights.pt in its place"
    )


class _Fault(Exception):  # noqa: N818 - becomes a CheckpointError where the file's name is known
    """An instruction that does not fit what came before it."""


class _ForeignError(Exception):
    """Something that tensors have no need of: an object of a class, a function to call."""


@dataclass(frozen=True, slots=True)
class _Name:
    """What the pickle names, of `_KNOWN_NAMES`."""

    text: str


class _Machine:
    """A stack, a memory, and an effect for each instruction that is known."""

    def __init__(self) -> None:
        self._stack: list[Any] = []
        self._marks: list[int] = []
        """Depths of the stack that later instructions take it down to."""
        self._memory: dict[int, Any] = {}

    def do(self, name: str, argument: Any) -> None:
        """Carry out one instruction."""
        if name in _CONSTANTS:
            self._stack.append(_CONSTANTS[name]() if argument is None else argument)
        elif name in _EFFECTS:
            _EFFECTS[name](self, argument)
        else:
            raise _ForeignError(f"it uses the instruction {name}")

    def result(self) -> object:
        """What is left at the end."""
        if len(self._stack) != 1 or self._marks or isinstance(self._stack[0], _Name):
            raise _Fault("it leaves something unfinished")
        return self._stack[0]

    def _pop(self) -> Any:
        if len(self._stack) <= (self._marks[-1] if self._marks else 0):
            raise _Fault("it takes more than there is")
        return self._stack.pop()

    def _pop_to_mark(self) -> list[Any]:
        depth = self._marks.pop()
        items = self._stack[depth:]
        del self._stack[depth:]
        return items

    def skip(self, _argument: object) -> None:
        pass

    def mark(self, _argument: object) -> None:
        self._marks.append(len(self._stack))

    def close_tuple(self, _argument: object) -> None:
        self._stack.append(tuple(self._pop_to_mark()))

    def make_tuple(self, count: int) -> None:
        items = [self._pop() for _ in range(count)]
        self._stack.append(tuple(reversed(items)))

    def append(self, _argument: object) -> None:
        self._extend([self._pop()])

    def append_all(self, _argument: object) -> None:
        self._extend(self._pop_to_mark())

    def _extend(self, items: list[Any]) -> None:
        target = self._top()
        if not isinstance(target, list):
            raise _Fault("it appends to what is no list")
        target.extend(items)

    def set_item(self, _argument: object) -> None:
        value, key = self._pop(), self._pop()
        self._update([key, value])

    def set_items(self, _argument: object) -> None:
        self._update(self._pop_to_mark())

    def _update(self, items: list[Any]) -> None:
        target = self._top()
        keys, values = items[::2], items[1::2]
        if not isinstance(target, dict) or len(keys) != len(values):
            raise _Fault("it puts an entry into what is no dict")
        if not all(isinstance(key, str | int) for key in keys):
            raise _Fault("a key in it is neither text nor a number")
        target.update(zip(keys, values, strict=True))

    def _top(self) -> Any:
        top = self._pop()
        self._stack.append(top)
        return top

    def name(self, name: str) -> None:
        if name not in _KNOWN_NAMES:
            raise _ForeignError(f"it names {name[:80].replace(' ', '.')}")
        self._stack.append(_Name(name))

    def put(self, number: int) -> None:
        self._memory[number] = self._top()

    def get(self, number: int) -> None:
        """Take out what was put away: no container twice, for those could grow without end."""
        if number not in self._memory:
            raise _Fault("it takes out what it never put away")
        value = self._memory[number]
        contents = value if isinstance(value, tuple) else (value,)
        if any(isinstance(item, dict | list | tuple) for item in contents):
            raise _Fault("it uses a container twice")
        self._stack.append(value)

    def make_storage(self, _argument: object) -> None:
        """A storage by its description; torch's format of old adds a view, always None."""
        match self._pop():
            case ("storage", _Name(kind), str(key), str(), int(length), *rest) if (
                kind in _STORAGE_NAMES and rest in ([], [None]) and length >= 0
            ):
                self._stack.append(StorageRecord(kind.removeprefix("torch "), key, length))
            case _:
                raise _Fault("it refers to something else than a storage")

    def call(self, _argument: object) -> None:
        """Build what one of the known names stands for."""
        arguments, name = self._pop(), self._pop()
        match name, arguments:
            case _Name("collections OrderedDict"), ():
                self._stack.append({})
            case (
                _Name("torch._utils _rebuild_tensor_v2"),
                (StorageRecord() as storage, int(offset), tuple(shape), tuple(stride), bool(), {}),
            ):
                self._stack.append(_tensor(storage, offset, shape, stride))
            case (
                _Name("torch._utils _rebuild_parameter"),
                (TensorRecord() as tensor, bool(), {}),
            ):
                self._stack.append(tensor)
            case _:
                raise _Fault("it builds something in an unknown way")

    def set_attributes(self, _argument: object) -> None:
        """Leave out what a state dict carries beside its entries: versions of its modules."""
        attributes = self._pop()
        if not isinstance(attributes, dict) or not isinstance(self._top(), dict):
            raise _Fault("it gives attributes to what has none")


def _tensor(
    storage: StorageRecord, offset: int, shape: tuple[Any, ...], stride: tuple[Any, ...]
) -> TensorRecord:
    """A part of a storage. It shows no more values than are there: a small file could show many."""
    sizes = (offset, *shape, *stride)
    if len(shape) != len(stride) or len(shape) > _MAX_DIMENSIONS:
        raise _Fault("a tensor's shape and strides differ")
    if not all(type(size) is int and size >= 0 for size in sizes) or 0 in shape:
        raise _Fault("a tensor's sizes are none")
    elements, last = 1, offset
    for size, step in zip(shape, stride, strict=True):
        elements *= size
        last += (size - 1) * step
    if elements > storage.length or last >= storage.length:
        raise _Fault("a tensor reaches beyond its storage")
    return TensorRecord(storage, offset, shape, stride)


_CONSTANTS: Final[dict[str, Callable[[], Any]]] = {
    "NONE": lambda: None,
    "NEWTRUE": lambda: True,
    "NEWFALSE": lambda: False,
    "EMPTY_LIST": list,
    "EMPTY_DICT": dict,
    "EMPTY_TUPLE": tuple,
    **dict.fromkeys(
        ("BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT", "BINUNICODE"), lambda: None
    ),
}
"""Instructions that put their argument on the stack, or, where there is none, what stands here."""
_EFFECTS: Final[dict[str, Callable[[_Machine, Any], None]]] = {
    "PROTO": _Machine.skip,
    "STOP": _Machine.skip,
    "MARK": _Machine.mark,
    "TUPLE": _Machine.close_tuple,
    "TUPLE1": lambda machine, _: machine.make_tuple(1),
    "TUPLE2": lambda machine, _: machine.make_tuple(2),
    "TUPLE3": lambda machine, _: machine.make_tuple(3),
    "APPEND": _Machine.append,
    "APPENDS": _Machine.append_all,
    "SETITEM": _Machine.set_item,
    "SETITEMS": _Machine.set_items,
    "GLOBAL": _Machine.name,
    "BINPUT": _Machine.put,
    "LONG_BINPUT": _Machine.put,
    "BINGET": _Machine.get,
    "LONG_BINGET": _Machine.get,
    "BINPERSID": _Machine.make_storage,
    "REDUCE": _Machine.call,
    "BUILD": _Machine.set_attributes,
}
