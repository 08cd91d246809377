"""How each part of a network is written as ONNX nodes: one emitter per module or function."""

from fmnist_cli.export.emitters import activations, arithmetic, layers, pooling, shapes
from fmnist_cli.export.emitters.registry import FUNCTIONS, MODULES, unsupported

__all__ = [
    "FUNCTIONS",
    "MODULES",
    "activations",
    "arithmetic",
    "layers",
    "pooling",
    "shapes",
    "unsupported",
]
