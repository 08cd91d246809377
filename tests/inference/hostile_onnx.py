"""Models that ask for something else than the computation of their form, each by one change."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from fmnist_cli.inference.onnx_check import MAX_NODES

Change = Callable[[onnx.ModelProto], None]


def external(model: onnx.ModelProto) -> None:
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../../etc/passwd")


def external_in_a_node(model: onnx.ModelProto) -> None:
    tensor = TensorProto(data_type=TensorProto.FLOAT, dims=[4], data_location=TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value="../secret")
    add_node(model, "Constant", [], value=tensor)


def custom_domain(model: onnx.ModelProto) -> None:
    model.graph.node[2].domain = "com.example"
    model.opset_import.append(helper.make_opsetid("com.example", 1))


def custom_domain_undeclared(model: onnx.ModelProto) -> None:
    model.graph.node[2].domain = "com.microsoft"


def giant_claim(model: onnx.ModelProto) -> None:
    add_tensor(model, [1_000_000, 1_000_000])


def negative_claim(model: onnx.ModelProto) -> None:
    add_tensor(model, [-1, 4])


def overflowing_claim(model: onnx.ModelProto) -> None:
    add_tensor(model, [2**62, 2**62])


def constant_of_giant_shape(model: onnx.ModelProto) -> None:
    model.graph.initializer.append(numpy_helper.from_array(np.array([10**6, 10**6]), "giant"))
    add_node(model, "ConstantOfShape", ["giant"])


def many_large_constants(model: onnx.ModelProto) -> None:
    model.graph.initializer.append(numpy_helper.from_array(np.array([2**21]), "large"))
    for _ in range(50):
        add_node(model, "ConstantOfShape", ["large"])


def giant_expansion(model: onnx.ModelProto) -> None:
    model.graph.initializer.append(numpy_helper.from_array(np.array([10**5, 28, 28]), "to"))
    add_node(model, "Expand", ["images", "to"])


def giant_range(model: onnx.ModelProto) -> None:
    for name, value in {"start": 0, "limit": 10**12, "step": 1}.items():
        model.graph.initializer.append(numpy_helper.from_array(np.array(value), name))
    add_node(model, "Range", ["start", "limit", "step"])


def size_that_depends_on_pixels(model: onnx.ModelProto) -> None:
    add_node(model, "NonZero", ["images"])


def graph_in_a_node(model: onnx.ModelProto) -> None:
    model.graph.initializer.append(numpy_helper.from_array(np.ones((), bool), "condition"))
    inner = helper.make_graph([], "inner", [], [])
    add_node(model, "If", ["condition"], then_branch=inner, else_branch=inner)


def own_function(model: onnx.ModelProto) -> None:
    relu = helper.make_node("Relu", ["x"], ["y"])
    opsets = [helper.make_opsetid("", 17)]
    model.functions.append(helper.make_function("own", "F", ["x"], ["y"], [relu], opsets))


def training_graph(model: onnx.ModelProto) -> None:
    model.training_info.add()


def text_tensor(model: onnx.ModelProto) -> None:
    model.graph.initializer.append(numpy_helper.from_array(np.array(["a"], object), "text"))


def sparse_tensor(model: onnx.ModelProto) -> None:
    model.graph.sparse_initializer.add()


def too_many_nodes(model: onnx.ModelProto) -> None:
    for _ in range(MAX_NODES):
        model.graph.node.add(op_type="Relu", input=["x"], output=["y"])


def other_input(model: onnx.ModelProto) -> None:
    model.graph.input[0].type.tensor_type.elem_type = TensorProto.FLOAT


def larger_input(model: onnx.ModelProto) -> None:
    model.graph.input[0].type.tensor_type.shape.dim[1].dim_value = 10**6


def second_input(model: onnx.ModelProto) -> None:
    model.graph.input.append(helper.make_tensor_value_info("more", TensorProto.FLOAT, [1]))


def no_input(model: onnx.ModelProto) -> None:
    del model.graph.input[:]


def fixed_batch(model: onnx.ModelProto) -> None:
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1


def renamed_output(model: onnx.ModelProto) -> None:
    model.graph.output[0].name = "scores"


def further_output(model: onnx.ModelProto) -> None:
    name = model.graph.node[1].output[0]
    model.graph.output.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, None))


def no_label(model: onnx.ModelProto) -> None:
    del model.graph.output[1]


def wrong_shapes(model: onnx.ModelProto) -> None:
    dims = model.graph.initializer[-1].dims
    del dims[:]
    dims.append(11)


def other_shape_computed(model: onnx.ModelProto) -> None:
    softmax = next(node for node in model.graph.node if node.op_type == "Softmax")
    softmax.input[0] = model.graph.node[2].output[0]


def unknown_operator(model: onnx.ModelProto) -> None:
    model.graph.node[2].op_type = "Teleport"


def operator_that_is_no_text(model: onnx.ModelProto) -> None:
    content = model.graph.node[0].SerializeToString().replace(b"Unsqueeze", b"Unsqueez\x80")
    model.graph.node[0].ParseFromString(content)


def name_that_is_no_text(model: onnx.ModelProto) -> None:
    content = model.graph.node[0].SerializeToString()
    name = model.graph.node[0].output[0].encode()
    model.graph.node[0].ParseFromString(content.replace(name, name[:-1] + b"\x80"))


def absurd_opset(model: onnx.ModelProto) -> None:
    model.opset_import[0].version = 2**40


def empty_graph(model: onnx.ModelProto) -> None:
    model.ClearField("graph")


def metadata_that_is_no_json(model: onnx.ModelProto) -> None:
    helper.set_model_props(model, {"fmnist": "{"})


def metadata_of_other_form(model: onnx.ModelProto) -> None:
    helper.set_model_props(model, {"fmnist": json.dumps({"format_version": 1, "model": 5})})


def metadata_of_the_future(model: onnx.ModelProto) -> None:
    helper.set_model_props(model, {"fmnist": json.dumps({"format_version": 999})})


def metadata_that_nests(model: onnx.ModelProto) -> None:
    helper.set_model_props(model, {"fmnist": "[" * 100_000})


def add_node(model: onnx.ModelProto, kind: str, inputs: list[str], **attributes: Any) -> None:
    output = f"{kind}_{len(model.graph.node)}"
    model.graph.node.append(helper.make_node(kind, inputs, [output], **attributes))


def add_tensor(model: onnx.ModelProto, dims: list[int]) -> None:
    model.graph.initializer.append(
        TensorProto(name="claim", data_type=TensorProto.FLOAT, dims=dims, raw_data=bytes(64))
    )


HOSTILE: dict[Change, str] = {
    external: "another file",
    external_in_a_node: "another file",
    custom_domain: "domain",
    custom_domain_undeclared: "domain",
    giant_claim: "states the shape",
    negative_claim: "states the shape",
    overflowing_claim: "states the shape",
    constant_of_giant_shape: "unknown or too large",
    many_large_constants: "values per image",
    giant_expansion: "unknown or too large",
    giant_range: "unknown or too large",
    size_that_depends_on_pixels: "unknown or too large",
    graph_in_a_node: "contains a graph",
    own_function: "functions",
    training_graph: "training graph",
    text_tensor: "real numbers",
    sparse_tensor: "sparse",
    too_many_nodes: "nodes",
    other_input: "input is not",
    larger_input: "input is not",
    second_input: "input is not",
    no_input: "input is not",
    fixed_batch: "input is not",
    renamed_output: "no output 'probabilities'",
    further_output: "outputs are not",
    no_label: "outputs are not",
    wrong_shapes: "states the shape|inconsistent",
    other_shape_computed: "other than it states|inconsistent",
    unknown_operator: "'Teleport' is not a standard one",
    operator_that_is_no_text: "not valid UTF-8",
    name_that_is_no_text: "not valid UTF-8",
    absurd_opset: "version 1099511627776",
    empty_graph: "input is not",
    metadata_that_is_no_json: "not a JSON object",
    metadata_of_other_form: "names no network",
    metadata_of_the_future: "format 999",
    metadata_that_nests: "not a JSON object",
}
"""Each change, and what its refusal says."""
