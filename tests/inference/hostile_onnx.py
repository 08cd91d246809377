"""Models that ask for more than the computation of their form, each by one change."""

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from fmnist_cli.inference.onnx_check import MAX_NODES

Change = Callable[[onnx.ModelProto], object]
FLOAT = TensorProto.FLOAT
EXTERNAL = TensorProto(
    data_type=FLOAT,
    dims=[4],
    data_location=TensorProto.EXTERNAL,
    external_data=[onnx.StringStringEntryProto(key="location", value="../../etc/passwd")],
)
INNER = helper.make_graph([], "inner", [], [])
FUNCTION = helper.make_function(
    *("own", "F", ["x"], ["y"], [helper.make_node("Relu", ["x"], ["y"])]),
    opset_imports=[helper.make_opsetid("", 17)],
)


def external(model: onnx.ModelProto) -> None:
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = EXTERNAL.data_location
    tensor.external_data.extend(EXTERNAL.external_data)


def custom_domain(model: onnx.ModelProto) -> None:
    model.graph.node[2].domain = "com.example"
    model.opset_import.append(helper.make_opsetid("com.example", 1))


def many_large_constants(model: onnx.ModelProto) -> None:
    for _ in range(50):
        node("ConstantOfShape", size=np.array([2**21]))(model)


def value(name: str, shape: list[int] | None) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, FLOAT, shape)


def other_shape_computed(model: onnx.ModelProto) -> None:
    softmax = next(node for node in model.graph.node if node.op_type == "Softmax")
    softmax.input[0] = model.graph.node[2].output[0]


def invalid_utf8(model: onnx.ModelProto, text: str) -> None:
    """Change the last letter of a text in the first node."""
    node, name = model.graph.node[0], text.encode()
    node.ParseFromString(node.SerializeToString().replace(name, name[:-1] + b"\x80"))


def node(kind: str, *inputs: str, **values: Any) -> Change:
    """Add a node. Arrays become constant inputs, after those that are named."""

    def change(model: onnx.ModelProto) -> None:
        names, attributes = list(inputs), dict(values)
        for name in [name for name, value in values.items() if isinstance(value, np.ndarray)]:
            names.append(f"{name}_{len(model.graph.initializer)}")
            constant = numpy_helper.from_array(attributes.pop(name), names[-1])
            model.graph.initializer.append(constant)
        output = f"{kind}_{len(model.graph.node)}"
        model.graph.node.append(helper.make_node(kind, names, [output], **attributes))

    return change


def claim(*dims: int) -> Change:
    """A small tensor that states another shape."""
    tensor = TensorProto(name="claim", data_type=FLOAT, dims=dims, raw_data=bytes(64))
    return lambda model: model.graph.initializer.append(tensor)


def metadata(text: str) -> Change:
    return lambda model: helper.set_model_props(model, {"fmnist": text})


def input_size(axis: int, size: int) -> Change:
    def change(model: onnx.ModelProto) -> None:
        model.graph.input[0].type.tensor_type.shape.dim[axis].dim_value = size

    return change


_BY_REASON: dict[str, dict[str, Change]] = {
    "states the shape": {
        "giant claim": claim(1_000_000, 1_000_000),
        "negative claim": claim(-1, 4),
        "overflowing claim": claim(2**62, 2**62),
    },
    "unknown or too large": {
        "constant of giant shape": node("ConstantOfShape", size=np.array([10**6, 10**6])),
        "giant expansion": node("Expand", "images", to=np.array([10**5, 28, 28])),
        "giant range": node("Range", a=np.array(0), b=np.array(10**12), step=np.array(1)),
        "size from pixels": node("NonZero", "images"),
    },
    "values per image": {"many large constants": many_large_constants},
    "another file": {"external": external, "external in a node": node("Constant", value=EXTERNAL)},
    "domain": {
        "custom domain": custom_domain,
        "custom domain, undeclared": lambda m: setattr(m.graph.node[2], "domain", "com.microsoft"),
    },
    "contains a graph": {
        "graph in a node": node("If", when=np.ones((), bool), then_branch=INNER, else_branch=INNER),
    },
    "functions": {"own function": lambda model: model.functions.append(FUNCTION)},
    "training graph": {"training graph": lambda model: model.training_info.add()},
    "real numbers": {"text": node("Identity", text=np.array(["a"], object))},
    "sparse": {"sparse": lambda model: model.graph.sparse_initializer.add()},
    "nodes": {
        "too many nodes": lambda m: m.graph.node.extend(
            [onnx.NodeProto(op_type="Relu")] * MAX_NODES
        )
    },
    "input is not": {
        "float input": lambda m: setattr(m.graph.input[0].type.tensor_type, "elem_type", FLOAT),
        "larger input": input_size(1, 10**6),
        "fixed batch": input_size(0, 1),
        "second input": lambda model: model.graph.input.append(value("x", [1])),
        "no input": lambda model: model.graph.ClearField("input"),
        "empty graph": lambda model: model.ClearField("graph"),
    },
    "no output 'probabilities'": {
        "renamed output": lambda model: setattr(model.graph.output[0], "name", "scores"),
    },
    "outputs are not": {
        "further output": lambda m: m.graph.output.append(value(m.graph.node[1].output[0], None)),
        "no label": lambda model: model.graph.output.pop(1),
    },
    "states the shape|inconsistent": {
        "wrong shapes": lambda model: model.graph.initializer[-1].dims.__setitem__(0, 11),
    },
    "other than it states|inconsistent": {"another shape computed": other_shape_computed},
    "'Teleport' is not a standard one": {
        "unknown operator": lambda model: setattr(model.graph.node[2], "op_type", "Teleport"),
    },
    "not valid UTF-8": {
        "operator that is no text": lambda model: invalid_utf8(model, "Unsqueeze"),
        "name that is no text": lambda m: invalid_utf8(m, m.graph.node[0].output[0]),
    },
    "version 1099511627776": {
        "absurd opset": lambda model: setattr(model.opset_import[0], "version", 2**40),
    },
    "not a JSON object": {
        "metadata that is no JSON": metadata("{"),
        "metadata that nests": metadata("[" * 100_000),
    },
    "names no network": {
        "metadata of another form": metadata('{"format_version": 1, "model": 5}'),
    },
    "format 999": {"metadata of the future": metadata('{"format_version": 999}')},
}
HOSTILE: dict[str, tuple[Change, str]] = {
    name: (change, reason) for reason, some in _BY_REASON.items() for name, change in some.items()
}
"""Each change, and what its refusal says."""
