"""Activations: one function each, and the module that is nothing but it."""

# ruff: noqa: ARG001 - an emitter takes the arguments that torch's own function takes

import math
from typing import Any, Final

import torch
from torch import nn
from torch.nn import functional

from fmnist_cli.export.emitters.registry import (
    Emitter,
    emits_functions,
    emits_modules,
    unsupported,
)
from fmnist_cli.export.writer import Tensor, Writer


def _unary(kind: str, **attributes: Any) -> Emitter:
    def emit(w: Writer, x: Tensor, inplace: bool = False) -> str:
        return w.node(kind, x.name, **attributes)

    return emit


_relu = emits_functions(functional.relu, functional.relu_, torch.relu, "relu", "relu_")(
    _unary("Relu")
)
_sigmoid = emits_functions(torch.sigmoid, functional.sigmoid, "sigmoid")(_unary("Sigmoid"))
_hardswish = emits_functions(functional.hardswish)(_unary("HardSwish"))
_hardsigmoid = emits_functions(functional.hardsigmoid)(_unary("HardSigmoid", alpha=1 / 6, beta=0.5))


@emits_functions(functional.relu6)
def _relu6(w: Writer, x: Tensor, inplace: bool = False) -> str:
    return w.node("Clip", x.name, w.constant(0.0), w.constant(6.0))


@emits_functions(functional.silu)
def _silu(w: Writer, x: Tensor, inplace: bool = False) -> str:
    return w.node("Mul", x.name, w.node("Sigmoid", x.name))


@emits_functions(functional.gelu)
def _gelu(w: Writer, x: Tensor, approximate: str = "none") -> str:
    if w.opset >= 20:
        return w.node("Gelu", x.name, approximate=approximate)
    if approximate != "none":
        raise unsupported(f"GELU with approximate='{approximate}' below opset 20")
    # The form that runtimes recognize and fuse: 0.5 * (x * (1 + erf(x / sqrt(2)))).
    error = w.node("Erf", w.node("Div", x.name, w.constant(math.sqrt(2))))
    product = w.node("Mul", x.name, w.node("Add", error, w.constant(1.0)))
    return w.node("Mul", product, w.constant(0.5))


@emits_modules(nn.GELU)
def _gelu_module(w: Writer, gelu: nn.GELU, x: Tensor) -> str:
    return str(_gelu(w, x, gelu.approximate))


_ACTIVATIONS: Final[dict[type[nn.Module], Emitter]] = {
    nn.ReLU: _relu,
    nn.ReLU6: _relu6,
    nn.SiLU: _silu,
    nn.Sigmoid: _sigmoid,
    nn.Hardswish: _hardswish,
    nn.Hardsigmoid: _hardsigmoid,
}


@emits_modules(*_ACTIVATIONS)
def _activation(w: Writer, module: nn.Module, x: Tensor) -> str:
    return str(_ACTIVATIONS[type(module)](w, x))
