"""An ONNX file without its weights: read in little memory, whatever the file claims to hold.

ModelProto and what is in it are protobuf messages: fields of a number, a wire type and a value
(https://protobuf.dev/programming-guides/encoding/). The walk below copies every field but the
weights' values, which it steps over in the mapped file.
"""

import mmap
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from fmnist_cli.errors import CheckpointError

if TYPE_CHECKING:
    from onnx import ModelProto

MAX_SKELETON_BYTES: Final = 4 * 2**20
"""Nodes, names and small constants; the largest network of torchvision takes 0.3 MiB."""
_KEPT_VALUE_BYTES: Final = 4096
"""Constants up to this size are kept: shapes and axes, from which sizes are computed."""

_FIELD_COST_BYTES: Final = 32
"""Charged for each field, so that empty ones without end are an end too."""

# Field numbers of onnx.proto.
_MODEL_GRAPH: Final = 7
_GRAPH_INITIALIZER: Final = 5
_TENSOR_VALUES: Final = frozenset({4, 5, 6, 7, 9, 10, 11})
"""float_data, int32_data, string_data, int64_data, raw_data, double_data, uint64_data."""

_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5


class Skeleton(NamedTuple):
    """What is left of a file without its weights' values."""

    model: "ModelProto"
    value_bytes: list[int]
    """Bytes of the values of each initializer, in the graph's order."""


class _Field(NamedTuple):
    number: int
    wire_type: int
    start: int
    """Where the field begins, its tag included."""
    value_start: int
    end: int


def read_skeleton(path: Path) -> Skeleton:
    """Read an ONNX file but for its weights' values.

    Raises CheckpointError for what is no ONNX model, is cut short, or is larger without its
    weights than any network.
    """
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
    from onnx import ModelProto

    with path.open("rb") as file:
        if file.seek(0, 2) == 0:
            raise CheckpointError(f"'{path}' is empty; expected an ONNX model")
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            walk = _Walk(content)
            try:
                return Skeleton(ModelProto.FromString(walk.model()), walk.value_bytes)
            except (_MalformedError, DecodeError) as error:
                reason = str(error).strip().partition("\n")[0]
                raise CheckpointError(
                    f"'{path}' is no ONNX model, or a damaged one: {reason}"
                ) from None


class _MalformedError(Exception):
    """Not the protobuf message of a network."""


class _Walk:
    """One pass over a mapped file."""

    def __init__(self, content: mmap.mmap) -> None:
        self.content = content
        self.value_bytes: list[int] = []
        self._kept_bytes = 0

    def model(self) -> bytes:
        """The model without its weights' values."""
        parts = []
        for field in self._fields(0, len(self.content)):
            if field.number == _MODEL_GRAPH and field.wire_type == _LENGTH:
                parts.append(_message(_MODEL_GRAPH, self._graph(field)))
            else:
                parts.append(self._copy(field))
        return b"".join(parts)

    def _graph(self, graph: _Field) -> bytes:
        parts = []
        for field in self._fields(graph.value_start, graph.end):
            if field.number == _GRAPH_INITIALIZER and field.wire_type == _LENGTH:
                parts.append(_message(_GRAPH_INITIALIZER, self._tensor(field)))
            else:
                parts.append(self._copy(field))
        return b"".join(parts)

    def _tensor(self, tensor: _Field) -> bytes:
        parts = []
        value_bytes = 0
        for field in self._fields(tensor.value_start, tensor.end):
            if field.number in _TENSOR_VALUES:
                value_bytes += field.end - field.value_start
                if field.end - field.value_start > _KEPT_VALUE_BYTES:
                    continue
            parts.append(self._copy(field))
        self.value_bytes.append(value_bytes)
        return b"".join(parts)

    def _copy(self, field: _Field) -> bytes:
        self._count(field.end - field.value_start)
        return self.content[field.start : field.end]

    def _count(self, kept_bytes: int) -> None:
        self._kept_bytes += kept_bytes
        if self._kept_bytes > MAX_SKELETON_BYTES:
            raise _MalformedError(
                f"more than {MAX_SKELETON_BYTES // 2**20} MiB of it are not weights"
            )

    def _fields(self, position: int, end: int) -> Iterator[_Field]:
        while position < end:
            start = position
            tag, position = self._varint(position, end)
            number, wire_type = tag >> 3, tag & 7
            if wire_type == _VARINT:
                value_start, position = position, self._varint(position, end)[1]
            elif wire_type == _LENGTH:
                length, value_start = self._varint(position, end)
                position = value_start + length
            elif wire_type in (_FIXED64, _FIXED32):
                value_start = position
                position += 8 if wire_type == _FIXED64 else 4
            else:
                raise _MalformedError(f"no field begins at byte {start:,}")
            if position > end or number == 0:
                raise _MalformedError("it is cut short, or a length in it is wrong")
            self._count(_FIELD_COST_BYTES)
            yield _Field(number, wire_type, start, value_start, position)

    def _varint(self, position: int, end: int) -> tuple[int, int]:
        """A number of seven bits a byte, the lowest first; returns it and where it ends."""
        value = 0
        for shift in range(0, 70, 7):
            if position >= end:
                raise _MalformedError("it is cut short, or a length in it is wrong")
            byte = self.content[position]
            position += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value, position
        raise _MalformedError("a number in it is longer than 64 bits")


def _message(number: int, content: bytes) -> bytes:
    """A field that holds a message."""
    length = len(content)
    encoded = bytearray([number << 3 | _LENGTH])
    while length > 0x7F:
        encoded.append(length & 0x7F | 0x80)
        length >>= 7
    encoded.append(length)
    return bytes(encoded) + content
