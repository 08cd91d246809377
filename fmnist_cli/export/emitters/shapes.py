"""Operations that move values and change none."""

# ruff: noqa: ARG001 - an emitter takes the arguments that torch's own function takes

import operator
from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from fmnist_cli.export.emitters.registry import emits_functions, emits_modules, unsupported
from fmnist_cli.export.writer import BATCH, Tensor, Writer


@emits_functions(torch.flatten, "flatten")
def _flatten(w: Writer, x: Tensor, start_dim: int = 0, end_dim: int = -1) -> str:
    last = len(x.shape) - 1
    if (start_dim, end_dim % len(x.shape)) == (1, last):
        return x.name if last == 1 else w.node("Flatten", x.name)
    shape = x.example().flatten(start_dim, end_dim).shape
    return str(_reshape(w, x, shape))


@emits_modules(nn.Flatten)
def _flatten_module(w: Writer, flatten: nn.Flatten, x: Tensor) -> str:
    return str(_flatten(w, x, flatten.start_dim, flatten.end_dim))


@emits_functions(torch.reshape, "reshape", "view")
def _reshape(w: Writer, x: Tensor, *sizes: Any) -> str:
    shape = list(x.example().reshape(*sizes).shape)
    if tuple(shape) == x.shape:
        return x.name
    if x.shape[0] != BATCH or shape[0] != BATCH:
        raise unsupported("a reshape across the batch dimension")
    return w.node("Reshape", x.name, w.constant([0, *shape[1:]]))  # 0 keeps the input's own size


@emits_functions(torch.permute, "permute")
def _permute(w: Writer, x: Tensor, *order: Any) -> str:
    axes = order[0] if isinstance(order[0], Sequence) else order
    return w.node("Transpose", x.name, perm=[axis % len(x.shape) for axis in axes])


@emits_functions(torch.transpose, "transpose")
def _transpose(w: Writer, x: Tensor, dim0: int, dim1: int) -> str:
    order = list(range(len(x.shape)))
    order[dim0], order[dim1] = order[dim1], order[dim0]
    return str(_permute(w, x, order))


@emits_functions(torch.cat)
def _cat(w: Writer, tensors: Sequence[Tensor], dim: int = 0) -> str:
    return w.node("Concat", *(x.name for x in tensors), axis=dim)


@emits_functions(torch.chunk, "chunk")
def _chunk(w: Writer, x: Tensor, chunks: int, dim: int = 0) -> list[str]:
    pieces = x.example().chunk(chunks, dim)
    return w.split(x, [piece.shape[dim] for piece in pieces], dim)


@emits_functions("expand")
def _expand(w: Writer, x: Tensor, *sizes: int) -> str:
    shape = x.example().expand(*sizes).shape
    if shape[0] != BATCH or x.shape[0] != BATCH:
        raise unsupported("an expand of the batch dimension")
    return w.node("Expand", x.name, w.constant([1, *shape[1:]]))  # 1 keeps the input's own size


@emits_functions("size")
def _size(w: Writer, x: Tensor, dim: int | None = None) -> int | tuple[int, ...]:
    return x.shape if dim is None else x.shape[dim]


@emits_functions(operator.getitem)
def _piece(w: Writer, pieces: Sequence[Tensor] | Tensor, index: int) -> Tensor:
    """One of several results; numbers are indexed without an emitter."""
    if isinstance(pieces, Tensor):
        raise unsupported("indexing into a tensor")
    return pieces[index]
