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


def further_output(model: onnx.ModelProto) -> None:
    name = model.graph.node[1].output[0]
    model.graph.output.append(helper.make_tensor_value_info(name, FLOAT, None))


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


HOSTILE: dict[str, tuple[Change, str]] = {
    "giant claim": (claim(1_000_000, 1_000_000), "states the shape"),
    "constant of giant shape": (
        node("ConstantOfShape", size=np.array([10**6, 10**6])),
        "unknown or too large",
    ),
    "giant expansion": (
        node("Expand", "images", to=np.array([10**5, 28, 28])),
        "unknown or too large",
    ),
    "giant range": (
        node("Range", start=np.array(0), limit=np.array(10**12), delta=np.array(1)),
        "unknown or too large",
    ),
    "external": (external, "another file"),
    "external in a node": (node("Constant", value=EXTERNAL), "another file"),
    "custom domain": (custom_domain, "domain"),
    "custom domain, undeclared": (
        lambda model: setattr(model.graph.node[2], "domain", "com.microsoft"),
        "domain",
    ),
    "negative claim": (claim(-1, 4), "states the shape"),
    "overflowing claim": (claim(2**62, 2**62), "states the shape"),
    "many large constants": (many_large_constants, "values per image"),
    "size from pixels": (node("NonZero", "images"), "too large"),
    "graph in a node": (
        node("If", condition=np.ones((), bool), then_branch=INNER, else_branch=INNER),
        "contains a graph",
    ),
    "own function": (lambda model: model.functions.append(FUNCTION), "functions"),
    "training graph": (lambda model: model.training_info.add(), "training graph"),
    "text": (node("Identity", text=np.array(["a"], object)), "real numbers"),
    "sparse": (lambda model: model.graph.sparse_initializer.add(), "sparse"),
    "too many nodes": (
        lambda model: model.graph.node.extend([onnx.NodeProto(op_type="Relu")] * MAX_NODES),
        "nodes",
    ),
    "float input": (
        lambda model: setattr(model.graph.input[0].type.tensor_type, "elem_type", FLOAT),
        "input is not",
    ),
    "larger input": (input_size(1, 10**6), "input is not"),
    "fixed batch": (input_size(0, 1), "input is not"),
    "second input": (
        lambda model: model.graph.input.append(helper.make_tensor_value_info("x", FLOAT, [1])),
        "input is not",
    ),
    "no input": (lambda model: model.graph.ClearField("input"), "input is not"),
    "renamed output": (
        lambda model: setattr(model.graph.output[0], "name", "scores"),
        "no output 'probabilities'",
    ),
    "further output": (further_output, "outputs are not"),
    "no label": (lambda model: model.graph.output.pop(1), "outputs are not"),
    "wrong shapes": (
        lambda model: model.graph.initializer[-1].dims.__setitem__(0, 11),
        "states the shape|inconsistent",
    ),
    "another shape computed": (other_shape_computed, "other than it states|inconsistent"),
    "unknown operator": (
        lambda model: setattr(model.graph.node[2], "op_type", "Teleport"),
        "'Teleport' is not a standard one",
    ),
    "operator that is no text": (lambda m: invalid_utf8(m, "Unsqueeze"), "not valid UTF-8"),
    "name that is no text": (
        lambda model: invalid_utf8(model, model.graph.node[0].output[0]),
        "not valid UTF-8",
    ),
    "absurd opset": (
        lambda model: setattr(model.opset_import[0], "version", 2**40),
        "version 1099511627776",
    ),
    "empty graph": (lambda model: model.ClearField("graph"), "input is not"),
    "metadata that is no JSON": (metadata("{"), "not a JSON object"),
    "metadata of another form": (
        metadata('{"format_version": 1, "model": 5}'),
        "names no network",
    ),
    "metadata of the future": (metadata('{"format_version": 999}'), "format 999"),
    "metadata that nests": (metadata("[" * 100_000), "not a JSON object"),
}
"""Each change, and what its refusal says."""
