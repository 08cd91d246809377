"""Pickles that someone wrote by hand: to run code, to take memory, to claim what is not there."""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

PROTO, STOP = b"\x80\x02", b"."
ORDERED_DICT = b"ccollections\nOrderedDict\n)R"


@dataclass(frozen=True)
class Call:
    """A call that reading the pickle would make."""

    module: str
    name: str
    arguments: tuple[Any, ...]


def encode(value: object) -> bytes:
    """The instructions that build a value."""
    match value:
        case Raw(instructions):
            return instructions
        case Call(module, name, arguments):
            return f"c{module}\n{name}\n".encode() + encode(arguments) + b"R"
        case tuple():
            return b"(" + b"".join(map(encode, value)) + b"t"
        case list():
            return b"](" + b"".join(map(encode, value)) + b"e"
        case dict():
            return b"}(" + b"".join(encode(k) + encode(v) for k, v in value.items()) + b"u"
    return _encode_scalar(value)


def _encode_scalar(value: object) -> bytes:
    match value:
        case None:
            return b"N"
        case bool():
            return b"\x88" if value else b"\x89"
        case int():
            digits = value.to_bytes((value.bit_length() + 8) // 8, "little", signed=True)
            return b"\x8a" + bytes([len(digits)]) + digits
        case float():
            return b"G" + struct.pack(">d", value)
        case str():
            text = value.encode()
            return b"X" + struct.pack("<I", len(text)) + text
        case bytes():
            return b"B" + struct.pack("<I", len(value)) + value
    raise TypeError(value)


@dataclass(frozen=True)
class Raw:
    """Instructions as they are."""

    instructions: bytes


def tensor(
    key: Any,
    length: Any,
    shape: Any,
    stride: Any = None,
    *,
    offset: Any = 0,
    kind: str = "FloatStorage",
) -> Raw:
    """A tensor by torch's own instructions, whatever it claims; its stride is dense by default."""
    if stride is None:
        stride, step = (), 1
        for size in reversed(shape):
            stride, step = (step, *stride), step * max(size, 1)
    storage = encode("storage") + f"ctorch\n{kind}\n".encode() + encode(key) + encode("cpu")
    return Raw(
        b"ctorch._utils\n_rebuild_tensor_v2\n(("
        + storage
        + encode(length)
        + b"tQ"
        + b"".join(map(encode, (offset, shape, stride, False)))
        + ORDERED_DICT
        + b"tR"
    )


def dumps(value: object) -> bytes:
    """A whole pickle."""
    return PROTO + encode(value) + STOP


# Code that would run


def calls(canary: Path) -> list[Call]:
    """Calls each of which leaves a file or a folder at `canary`."""
    path = str(canary)
    code = f"open({path!r}, 'w').close()"
    inner = dumps(Call("os", "mkdir", (path,)))
    return [
        Call("os", "system", (f"touch '{path}'",)),
        Call("posix", "system", (f"touch '{path}'",)),
        Call("subprocess", "call", (["touch", path],)),
        Call("builtins", "eval", (code,)),
        Call("builtins", "exec", (code,)),
        Call("__builtin__", "eval", (code,)),
        Call("builtins", "open", (path, "w")),
        Call("io", "open", (path, "w")),
        Call("io", "FileIO", (path, "w")),
        Call("os", "mkdir", (path,)),
        Call("os", "mkfifo", (path,)),
        Call("shutil", "copyfile", ("/dev/null", path)),
        Call("timeit", "timeit", (code, "pass", Raw(b"ctime\nperf_counter\n"), 1)),
        Call("zipfile", "ZipFile", (path, "w")),
        Call("logging", "FileHandler", (path,)),
        Call("pickle", "loads", (inner,)),
        Call("_pickle", "loads", (inner,)),
        Call("functools", "reduce", (Raw(b"cio\nopen\n"), [path, "w"])),
        Call("torch", "save", (1, path)),
        Call("torch.storage", "_load_from_bytes", (inner,)),
        Call("torch._tensor", "_rebuild_from_type_v2", (Raw(b"cos\nmkdir\n"), None, (path,), None)),
        Call("numpy", "memmap", (path, "uint8", "w+", 0, (1,))),
    ]


def _by_reduce(call: Call) -> bytes:
    return encode(call)


def _by_inst(call: Call) -> bytes:
    arguments = b"".join(map(encode, call.arguments))
    return b"(" + arguments + f"i{call.module}\n{call.name}\n".encode()


def _by_obj(call: Call) -> bytes:
    arguments = b"".join(map(encode, call.arguments))
    return b"(" + f"c{call.module}\n{call.name}\n".encode() + arguments + b"o"


def _by_new(call: Call) -> bytes:
    return f"c{call.module}\n{call.name}\n".encode() + encode(call.arguments) + b"\x81"


def _by_stack(call: Call) -> bytes:
    return encode(call.module) + encode(call.name) + b"\x93" + encode(call.arguments) + b"R"


def _by_allowed_name(call: Call) -> bytes:
    """What a careless reader would look up by its last part, or in the wrong module."""
    return f"ctorch._utils\n{call.name}\n".encode() + encode(call.arguments) + b"R"


STYLES: tuple[Callable[[Call], bytes], ...] = (
    *(_by_reduce, _by_inst, _by_obj, _by_new, _by_stack, _by_allowed_name),
)


def place(instructions: bytes, pickle: bytes, random: Random) -> bytes:
    """Put instructions somewhere into a pickle, which stays what it was for a careless reader."""
    evil, body = Raw(instructions), pickle[len(PROTO) : -1]
    return random.choice(
        [
            dumps(evil),
            PROTO + instructions + b"0" + body + STOP,
            PROTO + instructions + b"r" + struct.pack("<I", 2**20) + b"0" + body + STOP,
            PROTO + body + b"0" + instructions + STOP,
            PROTO + body + STOP + instructions + STOP,
            PROTO + body + encode("more") + instructions + b"s" + STOP,
            PROTO + body + instructions + encode(1) + b"s" + STOP,
            PROTO + body + instructions + b"b" + STOP,
            dumps({"state_dict": evil}),
            dumps({"state_dict": {"w": tensor(evil, 4, (2, 2))}}),
            dumps({"state_dict": {"w": tensor("0", evil, (2, 2))}}),
            dumps({"state_dict": {"w": tensor("0", 4, evil, (1, 1))}}),
            dumps(Raw(instructions + b"Q")),
            dumps(Call("torch._utils", "_rebuild_parameter", (evil, True, {}))),
            dumps(Call("collections", "OrderedDict", (evil,))),
        ]
    )


def code(random: Random, pickle: bytes, canary: Path) -> bytes:
    """A pickle that runs code when it is unpickled without care."""
    call = random.choice(calls(canary))
    return place(random.choice(STYLES)(call), pickle, random)


# Memory and claims


def bomb(random: Random) -> bytes:
    """A pickle that is small and would take much."""
    count = random.choice([10**5, 10**6, 4 * 10**6])
    laughs = b"](" + encode("ha" * 50) * 10 + b"e" + b"q\x00"
    for _ in range(random.randrange(8, 30)):
        laughs += b"0](" + b"h\x00" * 10 + b"eq\x00"
    doubled = encode(("ha", "ha")) + b"q\x00"
    for _ in range(random.randrange(30, 60)):
        doubled += b"0h\x00h\x00\x86q\x00"
    return PROTO + random.choice(
        [
            b"}" * count + STOP,
            b"](" + b"}" * count + b"e" + STOP,
            b"(" * count + STOP,
            b"]" * count + b"a" * (count - 1) + STOP,
            b")" + b"\x85" * count + STOP,
            b"N" + b"2" * count + STOP,
            b"](" + encode(1.5) * (count // 8) + b"e" + STOP,
            encode("x") + b"".join(b"r" + struct.pack("<I", n) for n in range(count // 8)) + STOP,
            b"X" + struct.pack("<I", 2**32 - 1) + b"x" + STOP,
            b"\x8e" + struct.pack("<Q", 2**62) + b"x" + STOP,
            b"\x8b" + struct.pack("<I", 2**31 - 1) + b"\x01" + STOP,
            b"\x95" + struct.pack("<Q", 2**62) + b"N" + STOP,
            b"Nr" + struct.pack("<I", 2**32 - 1) + STOP,
            b"I" + b"9" * count + b"\n" + STOP,
            b"L" + b"9" * count + b"L\n" + STOP,
            b"c" + b"a" * count + b"\nb\n" + STOP,
            encode("x" * count) + STOP,
            laughs + STOP,
            doubled + STOP,
        ]
    )


def claim(random: Random, length: int, shape: tuple[int, ...]) -> Raw:
    """A tensor that is not what the file holds: sizes without measure, mostly."""
    huge = random.choice([2**31, 2**33, 2**48, 2**62, 2**63, 2**64, 2**200])
    return random.choice(
        [
            tensor("0", huge, shape),
            tensor("0", length, (huge, *shape[1:])),
            tensor("0", huge, (huge,)),
            tensor("0", length, (huge,), (0,)),
            tensor("0", length, (huge, huge), (0, 0)),
            tensor("0", length, (0, huge, huge)),
            tensor("0", length, shape, offset=huge),
            tensor("0", length, shape, offset=1),
            tensor("0", length, shape, offset=-1),
            tensor("0", length, shape, tuple(-1 for _ in shape)),
            tensor("0", length, shape, tuple(huge for _ in shape)),
            tensor("0", length, shape, (1,) * (len(shape) + 1)),
            tensor("0", length, (-1, *shape[1:])),
            tensor("0", length, (1,) * 200),
            tensor("0", -length, shape),
            tensor("0", length + 1, shape),
            tensor("0", length - 1, shape),
            tensor("0", 2 * length, shape, kind="HalfStorage"),
            tensor("0", length // 2, shape, kind="DoubleStorage"),
            tensor("0", length, shape, kind="UntypedStorage"),
            tensor("0", length, shape, kind="CudaFloatStorage"),
            tensor("none", length, shape),
            tensor("../metadata.json", length, shape),
            tensor(0, length, shape),
            tensor(None, length, shape),
            tensor("0", float(length), shape),
            tensor("0", *(True, (True,), (True,))),
            tensor("0", length, list(shape), list(shape)),
            tensor("0", length, "shape", "strides"),
        ]
    )
