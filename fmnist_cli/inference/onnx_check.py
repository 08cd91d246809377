"""Check an ONNX file before ONNX Runtime opens it.

A session reads any file that a model refers to and allocates any size that it states. So the model
is refused unless it is a single self-contained graph of standard operators on numeric tensors, with
the documented inputs and outputs, in which the size of every tensor is known and bounded.
"""

import math
from collections.abc import Iterable, MutableSequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from fmnist_cli.checkpoints.metadata import MetadataFault, ModelMetadata
from fmnist_cli.constants import CLASS_NAMES, IMAGE_SIZE
from fmnist_cli.data.images import ONNX_RECORD_KEY
from fmnist_cli.errors import CheckpointError
from fmnist_cli.inference.onnx_contract import IMAGES, LABEL, LOGITS, METADATA_KEY, PROBABILITIES

if TYPE_CHECKING:
    from google.protobuf.message import Message  # type: ignore[import-untyped]
    from onnx import GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto

MAX_FILE_BYTES: Final = 2**30
MAX_NODES: Final = 10_000
MAX_ELEMENTS: Final = 2**22
"""Limit for one computed tensor per image; networks for 224x224 pixels stay below 2**21."""
MAX_TOTAL_ELEMENTS: Final = 2**26
"""Limit for all computed tensors per image."""
_MAX_BATCH: Final = 1_024
_MAX_OPSET: Final = 1_000
_STANDARD_DOMAINS: Final = ("", "ai.onnx")


@dataclass(frozen=True, slots=True)
class OnnxFacts:
    """What a checked file records, and its interface."""

    metadata: ModelMetadata | None
    """None if the file was not exported by this project."""
    training_digests: str
    """Digests of the training images in base64; empty if the file holds none."""
    outputs: tuple[str, ...]
    interface: "Interface"


@dataclass(frozen=True, slots=True)
class Interface:
    """How a file is run: uint8 [N, 28, 28], or a user's own float32 [N, 1, 28, 28], to [N, K]."""

    input: str
    output: str
    batch_size: int | None
    """None if any will do."""
    gives_probabilities: bool
    """Otherwise it gives logits."""


def check(
    path: Path, *, is_foreign: bool = False, classes: tuple[str, ...] | None = None
) -> OnnxFacts:
    """Check an untrusted ONNX file.

    is_foreign: expect a user's own network, see `Interface`; `classes` then names its classes
    (default: Fashion-MNIST's).
    Raises CheckpointError, with a message of one line, unless the model has the expected form.
    """
    import onnx
    from google.protobuf.message import DecodeError

    size = path.stat().st_size
    if size > MAX_FILE_BYTES:
        raise CheckpointError(f"'{path}' has {size:,} bytes; expected {MAX_FILE_BYTES:,} at most")
    try:
        model = onnx.load(path, format="protobuf", load_external_data=False)
    except (DecodeError, ValueError) as error:
        raise CheckpointError(f"'{path}' is not an ONNX file, or it is damaged") from error
    try:
        _check_text(model)
        _check_structure(model)
        _check_nodes(model.graph.node, model.opset_import[0].version)
        for tensor in model.graph.initializer:
            _check_constant(tensor)
        properties = {entry.key: entry.value for entry in reversed(model.metadata_props)}
        recorded = properties.get(METADATA_KEY)
        metadata = ModelMetadata.parse(recorded) if recorded else None
        num_classes = len(metadata.classes if metadata is not None else classes or CLASS_NAMES)
        find_interface = _foreign_interface if is_foreign else _own_interface
        interface = find_interface(model.graph, num_classes)
        _check_sizes(model, num_classes, interface.batch_size or 1)
    except _RefusedError as reason:
        raise CheckpointError(f"'{path}' is refused: {reason}") from None
    except MetadataFault as fault:
        raise CheckpointError(
            f"'{path}' is refused: its metadata '{METADATA_KEY}' {fault}"
        ) from None
    return OnnxFacts(
        metadata=metadata,
        training_digests=properties.get(ONNX_RECORD_KEY, ""),
        outputs=tuple(output.name for output in model.graph.output),
        interface=interface,
    )


class _RefusedError(Exception):
    """Why a file is not opened."""


def _check_text(message: "Message") -> None:
    """Refuse names that are not valid UTF-8: ONNX Runtime's errors about them aren't either."""
    for descriptor, value in message.ListFields():
        parts = value if isinstance(value, MutableSequence) else (value,)
        if descriptor.type == descriptor.TYPE_MESSAGE:
            for part in parts:
                _check_text(part)
        elif descriptor.type == descriptor.TYPE_STRING and any(
            isinstance(part, bytes)
            for part in parts  # protobuf returns what it can't decode
        ):
            raise _RefusedError("a name in it is not valid UTF-8")


def _check_structure(model: "ModelProto") -> None:
    domains = [opset.domain for opset in model.opset_import]
    if model.functions or model.training_info:
        raise _RefusedError(
            "it contains functions or a training graph; expected a single inference graph"
        )
    if len(domains) != 1 or domains[0] not in _STANDARD_DOMAINS:
        raise _RefusedError(
            f"it uses the operator domains {domains}; expected the standard domain only"
        )
    if not 0 < model.opset_import[0].version < _MAX_OPSET:
        raise _RefusedError(f"it uses version {model.opset_import[0].version} of the operators")
    if model.graph.sparse_initializer:
        raise _RefusedError("it contains sparse tensors")
    if len(model.graph.node) > MAX_NODES:
        raise _RefusedError(
            f"it has {len(model.graph.node):,} nodes; expected {MAX_NODES:,} at most"
        )


def _check_nodes(nodes: "Iterable[NodeProto]", opset: int) -> None:
    from onnx import defs

    for node in nodes:
        if node.domain not in _STANDARD_DOMAINS:
            raise _RefusedError(f"the operator '{node.op_type}' is in the domain '{node.domain}'")
        try:
            defs.get_schema(node.op_type, opset)
        except defs.SchemaError:
            raise _RefusedError(
                f"the operator '{node.op_type[:80]}' is not a standard one"
            ) from None
        for attribute in node.attribute:
            if attribute.HasField("g") or attribute.graphs or attribute.ref_attr_name:
                raise _RefusedError(f"the operator '{node.op_type}' contains a graph")
            if attribute.HasField("sparse_tensor") or attribute.sparse_tensors:
                raise _RefusedError("it contains sparse tensors")
            single = [attribute.t] if attribute.HasField("t") else []
            for tensor in (*single, *attribute.tensors):
                _check_constant(tensor)


def _check_constant(tensor: "TensorProto") -> None:
    from onnx import TensorProto

    name = tensor.name[:80]
    if tensor.data_location == TensorProto.EXTERNAL or tensor.external_data:
        raise _RefusedError(
            f"the tensor '{name}' is in another file; expected one self-contained file"
        )
    if tensor.data_type in (TensorProto.STRING, TensorProto.COMPLEX64, TensorProto.COMPLEX128):
        raise _RefusedError(f"the tensor '{name}' does not contain real numbers")
    # The remaining types take at least half a byte per element.
    if min(tensor.dims, default=0) < 0 or math.prod(tensor.dims) > 2 * tensor.ByteSize():
        raise _RefusedError(
            f"the tensor '{name}' states the shape {list(tensor.dims)[:8]}, but its data is shorter"
        )


def _own_interface(graph: "GraphProto", num_classes: int) -> Interface:
    from onnx import TensorProto

    inputs = [_described(value) for value in graph.input]
    size = (IMAGE_SIZE, IMAGE_SIZE)
    if inputs != [(IMAGES, TensorProto.UINT8, (None, *size))]:
        raise _RefusedError(
            f"its input is not '{IMAGES}', uint8 [N, {IMAGE_SIZE}, {IMAGE_SIZE}], "
            "as fmnist export-onnx writes it; for a network of your own, float32 [N, 1, 28, 28] to "
            f"[N, {num_classes}], add --normalization"
        )
    outputs = {value.name: _described(value) for value in graph.output}
    for name in (PROBABILITIES, LOGITS):
        described = (name, TensorProto.FLOAT, (None, num_classes))
        if outputs.pop(name, described if name == LOGITS else None) != described:
            raise _RefusedError(f"it has no output '{name}', float32 [N, {num_classes}]")
    if outputs.pop(LABEL, None) != (LABEL, TensorProto.INT64, (None,)) or outputs:
        raise _RefusedError(
            f"its outputs are not '{PROBABILITIES}', '{LABEL}' and optionally '{LOGITS}'"
        )
    return Interface(IMAGES, PROBABILITIES, batch_size=None, gives_probabilities=True)


def _foreign_interface(graph: "GraphProto", num_classes: int) -> Interface:
    from onnx import TensorProto

    constants = {tensor.name for tensor in graph.initializer}
    inputs = [_described(value) for value in graph.input if value.name not in constants]
    outputs = [_described(value) for value in graph.output]
    match inputs, outputs:
        case (
            [(str(given), TensorProto.FLOAT, (batch, 1, 28, 28))],
            [(str(result), TensorProto.FLOAT, (other, outputs_of_one))],
        ) if (
            outputs_of_one == num_classes
            and batch == other
            and (batch is None or 0 < batch <= _MAX_BATCH)
        ):
            last = next((node.op_type for node in graph.node if result in node.output), "")
            return Interface(given, result, batch, last == "Softmax")
    raise _RefusedError(
        "its input and output are not float32 [N, 1, 28, 28] and float32 "
        f"[N, {num_classes}], which --normalization is for; --classes names other classes"
    )


def _described(value: "ValueInfoProto") -> tuple[str, int, tuple[int | None, ...]]:
    """Name, element type and shape, with None for a free size."""
    tensor = value.type.tensor_type
    sizes = (dim.dim_value if dim.HasField("dim_value") else None for dim in tensor.shape.dim)
    return value.name, tensor.elem_type, tuple(sizes)


def _check_sizes(model: "ModelProto", num_classes: int, batch: int) -> None:
    """Infer the shape of each computed tensor for a batch; all must be known and bounded."""
    from onnx import shape_inference

    graph = model.graph
    graph.input[0].type.tensor_type.shape.dim[0].dim_value = batch
    del graph.value_info[:]  # shape inference would trust them
    for output in graph.output:
        output.type.tensor_type.ClearField("shape")
    try:
        inferred = shape_inference.infer_shapes(
            model, check_type=True, strict_mode=True, data_prop=True
        )
    except (shape_inference.InferenceError, ValueError, RuntimeError) as error:
        reason = str(error).strip().partition("\n")[0][:200]
        raise _RefusedError(f"its shapes are inconsistent: {reason}") from None
    known = {
        value.name: _described(value)[2]
        for value in (*inferred.graph.value_info, *inferred.graph.output)
        if value.type.tensor_type.HasField("shape")
    }
    for output in graph.output:
        expected = (batch,) if output.name == LABEL else (batch, num_classes)
        if known.get(output.name) != expected:
            raise _RefusedError(f"it computes '{output.name}' in a shape other than it states")
    total = 0
    for node in graph.node:
        for name in filter(None, node.output):
            sizes = known.get(name, (None,))
            elements = math.prod(size or 0 for size in sizes)
            if None in sizes or elements > MAX_ELEMENTS * batch:
                raise _RefusedError(
                    f"the size of '{name[:80]}' is unknown or too large for an image"
                )
            total += elements
    if total > MAX_TOTAL_ELEMENTS * batch:
        raise _RefusedError(
            f"it computes {total:,} values per image; expected {MAX_TOTAL_ELEMENTS:,} at most"
        )
