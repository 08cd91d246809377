"""Nodes and constants of an ONNX graph, gathered in order of computation."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
import torch
from onnx import NodeProto, TensorProto, helper, numpy_helper

Shape: TypeAlias = tuple[int, ...]
BATCH: Final = 37
"""Stands for the free batch size as the first of a shape's sizes."""


@dataclass(frozen=True, slots=True)
class Tensor:
    """A tensor of the graph: its name and its shape."""

    name: str
    shape: Shape

    def example(self) -> torch.Tensor:
        """Some tensor of this shape, to ask torch what a view of it would be."""
        return torch.empty(self.shape)


class Writer:
    """Collects the nodes and constants of one graph."""

    def __init__(self, opset: int) -> None:
        self.opset = opset
        self.scope = "pixels"
        """The module or function of torch that is being written: prefix of the names of nodes."""
        self.nodes: list[NodeProto] = []
        self._constants: dict[str, TensorProto] = {}
        self._unnamed: dict[tuple[str, Shape, bytes], str] = {}

    @property
    def constants(self) -> list[TensorProto]:
        """The graph's initializers."""
        return list(self._constants.values())

    def node(self, kind: str, *inputs: str, output: str | None = None, **attributes: Any) -> str:
        """Add a node of the standard domain with one output; returns the output's name."""
        return self._add(kind, inputs, [output or self._next_name(kind)], attributes)[0]

    def split(self, x: Tensor, sizes: Sequence[int], axis: int) -> list[str]:
        """Cut `x` along an axis into pieces of the given sizes; returns their names."""
        outputs = [f"{self._next_name('Split')}:{piece}" for piece in range(len(sizes))]
        inputs = [x.name, self.constant(np.array(sizes, dtype=np.int64))]
        return self._add("Split", inputs, outputs, {"axis": axis})

    def mean(self, x: str, axes: list[int], *, keep: bool, output: str | None = None) -> str:
        """Average over axes, which are kept with size 1 or dropped."""
        if self.opset < 18:  # where the axes became an input
            return self.node("ReduceMean", x, output=output, axes=axes, keepdims=int(keep))
        given = self.constant(axes)
        return self.node("ReduceMean", x, given, output=output, keepdims=int(keep))

    def rename(self, old: str, new: str) -> None:
        """Give the output of a node another name, wherever it is used."""
        for node in self.nodes:
            for names in (node.input, node.output):
                names[:] = [new if name == old else name for name in names]

    def constant(self, value: Any, name: str | None = None) -> str:
        """Name of a constant: float32, or int64 for integers. Equal unnamed ones are shared."""
        array = np.asarray(value.detach().cpu() if isinstance(value, torch.Tensor) else value)
        array = array.astype(np.float32 if array.dtype.kind == "f" else np.int64)
        if name is None:
            content = (array.dtype.char, array.shape, array.tobytes())
            name = self._unnamed.setdefault(content, f"constant_{len(self._unnamed)}")
        if name not in self._constants:
            self._constants[name] = numpy_helper.from_array(np.ascontiguousarray(array), name)
        return name

    def parameter(self, name: str, value: torch.Tensor) -> str:
        """Name of a parameter of the module that is being written."""
        return self.constant(value, f"{self.scope}.{name}")

    def _next_name(self, kind: str) -> str:
        return f"{self.scope}/{kind}_{len(self.nodes)}"

    def _add(
        self, kind: str, inputs: Sequence[str], outputs: list[str], attributes: dict[str, Any]
    ) -> list[str]:
        name = outputs[0].removesuffix(":0")
        self.nodes.append(helper.make_node(kind, inputs, outputs, name=name, **attributes))
        return outputs
