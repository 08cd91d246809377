"""A network as an ONNX model: raw pixels in, probabilities and labels out.

| name          | type             | what                                              |
|---------------|------------------|---------------------------------------------------|
| images        | uint8 [N, 28, 28]  | input: raw pixels, 0 is the background            |
| probabilities | float32 [N, 10]    | output: softmax of the network's logits           |
| label         | int64 [N]          | output: index of the greatest probability         |
| logits        | float32 [N, 10]    | output, where asked for                           |
"""

import json
from collections.abc import Mapping
from typing import Any

import onnx
from onnx import TensorProto, ValueInfoProto, helper
from torch import nn

from fmnist_cli.constants import CLASS_NAMES, IMAGE_SIZE, NUM_CLASSES, VERSION
from fmnist_cli.data.normalization import Normalization
from fmnist_cli.errors import CheckFailed, UsageError
from fmnist_cli.export.network import write_network
from fmnist_cli.export.tracing import fold_normalization, trace
from fmnist_cli.export.writer import Writer
from fmnist_cli.inference.onnx_contract import (
    DEFAULT_OPSET,
    IMAGES,
    LABEL,
    LOGITS,
    METADATA_KEY,
    OPSETS,
    PROBABILITIES,
)


def build_graph(
    model: nn.Module,
    normalization: Normalization,
    metadata: Mapping[str, Any],
    *,
    opset: int = DEFAULT_OPSET,
    logits: bool = False,
    tta: bool = False,
) -> onnx.ModelProto:
    """Write a network, its normalization and softmax as one self-contained ONNX model.

    model: float32 [N, 1, 28, 28] prepared images -> [N, 10] logits; traceable by torch.fx.
    metadata: plain JSON data, kept in the model with the class names in readable form.
    tta: average the probabilities over each image and its mirror image.
    Raises UsageError for options that do not fit, CheckFailed for a network that can't be written.
    """
    if opset not in OPSETS:
        raise UsageError(f"--opset is {opset}; expected {OPSETS[0]} to {OPSETS[-1]}")
    if tta and logits:
        raise UsageError("--logits and --tta do not go together: an average has no logits")
    writer = Writer(opset)
    traced = trace(model)
    pixels = _write_mirrored(writer) if tta else IMAGES
    prepared = _write_normalization(writer, pixels, *fold_normalization(traced, normalization))
    _write_outputs(writer, write_network(writer, traced, prepared), tta=tta)
    written = _assemble(writer, logits=logits)
    set_metadata(written, metadata)
    try:
        onnx.checker.check_model(written, full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        raise CheckFailed(f"the ONNX graph of the network is not valid: {error}") from None
    return written


def set_metadata(model: onnx.ModelProto, metadata: Mapping[str, Any]) -> None:
    """Replace the model's metadata: all of it as JSON under one key, the gist under readable ones.

    A reader in any language needs only `classes`, a JSON list whose index is the label.
    """
    readable = {
        "classes": json.dumps(list(CLASS_NAMES)),
        "network": metadata.get("model", {}).get("name"),
        "recipe": metadata.get("recipe"),
        "trained_on": metadata.get("data", {}).get("spec"),
        "val_accuracy": metadata.get("metrics", {}).get("val_accuracy"),
    }
    properties = {key: str(value) for key, value in readable.items() if value is not None}
    del model.metadata_props[:]
    helper.set_model_props(model, {METADATA_KEY: json.dumps(dict(metadata)), **properties})


def _write_mirrored(writer: Writer) -> str:
    """The images, and after them each one's mirror image: uint8 [2N, 28, 28]."""
    start, end, axis, step = (writer.constant([value]) for value in (-1, -IMAGE_SIZE - 1, 2, -1))
    mirrored = writer.node("Slice", IMAGES, start, end, axis, step)
    return writer.node("Concat", IMAGES, mirrored, axis=0)


def _write_normalization(writer: Writer, pixels: str, scale: float, shift: float) -> str:
    """Pixels as float32 [N, 1, 28, 28], with what was not folded into the first layer."""
    unsqueezed = writer.node("Unsqueeze", pixels, writer.constant([1]))
    prepared = writer.node("Cast", unsqueezed, to=TensorProto.FLOAT)
    if scale != 1.0:
        prepared = writer.node("Mul", prepared, writer.constant(scale))
    if shift != 0.0:
        prepared = writer.node("Add", prepared, writer.constant(shift))
    return prepared


def _write_outputs(writer: Writer, logits: str, *, tta: bool) -> None:
    writer.rename(logits, LOGITS)
    if tta:
        both = writer.node("Softmax", LOGITS, axis=1)
        paired = writer.node("Reshape", both, writer.constant([2, -1, NUM_CLASSES]))
        writer.mean(paired, [0], keep=False, output=PROBABILITIES)
    else:
        writer.node("Softmax", LOGITS, axis=1, output=PROBABILITIES)
    # Of the probabilities, not the logits: equal ones then give the same label as NumPy's argmax.
    writer.node("ArgMax", PROBABILITIES, axis=1, keepdims=0, output=LABEL)


def _assemble(writer: Writer, *, logits: bool) -> onnx.ModelProto:
    size = [IMAGE_SIZE, IMAGE_SIZE]
    scores = [PROBABILITIES, LOGITS] if logits else [PROBABILITIES]
    graph = helper.make_graph(
        writer.nodes,
        "fmnist",
        [helper.make_tensor_value_info(IMAGES, TensorProto.UINT8, ["N", *size])],
        [
            *(_floats(name, ["N", NUM_CLASSES]) for name in scores),
            helper.make_tensor_value_info(LABEL, TensorProto.INT64, ["N"]),
        ],
        writer.constants,
    )
    opsets = [helper.make_opsetid("", writer.opset)]
    return helper.make_model(
        graph,
        opset_imports=opsets,
        ir_version=helper.find_min_ir_version_for(opsets),
        producer_name="fmnist-cli",
        producer_version=VERSION,
    )


def _floats(name: str, shape: list[str | int]) -> ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
