"""Element-wise arithmetic of two tensors, or of a tensor and a number."""

import operator

import torch

from fmnist_cli.export.emitters.registry import Emitter, emits_functions
from fmnist_cli.export.writer import Tensor, Writer


def _binary(kind: str) -> Emitter:
    def emit(w: Writer, a: Tensor | float, b: Tensor | float) -> str:
        names = [x.name if isinstance(x, Tensor) else w.constant(float(x)) for x in (a, b)]
        return w.node(kind, *names)

    return emit


emits_functions(operator.add, operator.iadd, torch.add, "add", "add_")(_binary("Add"))
emits_functions(operator.sub, operator.isub, torch.sub, "sub", "sub_")(_binary("Sub"))
emits_functions(operator.mul, operator.imul, torch.mul, "mul", "mul_")(_binary("Mul"))
emits_functions(operator.truediv, operator.itruediv, torch.div, "div", "div_")(_binary("Div"))
