"""A network as an ONNX model: raw pixels in, probabilities and labels out; see `onnx_contract`."""

import contextlib
import copy
import io
import json
import logging
import re
import warnings
from collections.abc import Iterator

import onnx
import torch
from torch import Tensor, nn
from torch.fx.experimental.symbolic_shapes import GuardOnDataDependentSymNode
from torch.nn.utils.fusion import fuse_conv_bn_eval

from fmnist_cli.checkpoints.metadata import ModelMetadata
from fmnist_cli.constants import IMAGE_SIZE, VERSION
from fmnist_cli.errors import CheckFailed, UsageError
from fmnist_cli.inference.onnx_contract import (
    DEFAULT_OPSET,
    IMAGES,
    IR_VERSIONS,
    LABEL,
    LOGITS,
    METADATA_KEY,
    OPSETS,
    PROBABILITIES,
)


class _Classifier(nn.Module):
    """Everything between raw pixels and the outputs of the file."""

    def __init__(
        self,
        network: nn.Module,
        metadata: ModelMetadata,
        *,
        logits: bool,
        tta: bool,
    ) -> None:
        super().__init__()
        self.network = network
        self.scale, self.shift = metadata.normalization.scale, metadata.normalization.shift
        self.temperature = metadata.temperature or 1
        self.logits, self.tta = logits, tta

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Map uint8 [N, 28, 28] to probabilities [N, K], label [N] and perhaps logits [N, K]."""
        pixels = images.unsqueeze(1).float() * self.scale + self.shift
        logits = self.network(pixels)
        if self.temperature != 1:
            logits = logits / self.temperature
        probabilities = logits.softmax(1)
        if self.tta:
            mirrored = self.network(pixels.flip(3)) / self.temperature
            probabilities = (probabilities + mirrored.softmax(1)) / 2
        # From the probabilities, so that ties give the same label as NumPy's argmax.
        outputs = (probabilities, probabilities.argmax(1))
        return (*outputs, logits) if self.logits else outputs


def build_graph(
    model: nn.Module,
    metadata: ModelMetadata,
    *,
    opset: int = DEFAULT_OPSET,
    logits: bool = False,
    tta: bool = False,
) -> onnx.ModelProto:
    """Export a network with its normalization and softmax as one self-contained ONNX model.

    model: maps normalized float32 [N, 1, 28, 28] to logits [N, K].
    metadata: stored in the model; its temperature, if any, divides the logits.
    tta: average the probabilities over each image and its mirror image.
    Raises UsageError for conflicting options, CheckFailed if torch can't export the network.
    """
    if opset not in OPSETS:
        raise UsageError(f"--opset is {opset}; expected {OPSETS[0]} to {OPSETS[-1]}")
    if tta and logits:
        raise UsageError("--logits and --tta can't be combined: an average has no logits")
    network = _fold_norms(copy.deepcopy(model).cpu().float().eval())
    classifier = _Classifier(network, metadata, logits=logits, tta=tta)
    names = [PROBABILITIES, LABEL, *([LOGITS] if logits else [])]
    try:
        with _quietly():
            program = torch.onnx.export(
                classifier.eval(),
                (torch.zeros(2, IMAGE_SIZE, IMAGE_SIZE, dtype=torch.uint8),),
                dynamo=True,
                opset_version=opset,
                input_names=[IMAGES],
                output_names=names,
                dynamic_shapes=({0: torch.export.Dim("N")},),
                external_data=False,
            )
            assert program is not None
            written = program.model_proto
            onnx.checker.check_model(written, full_check=True)
    except Exception as error:  # the exporter raises whatever its passes do
        raise CheckFailed(f"torch can't export this network to ONNX: {_reason(error)}") from error
    if written.graph.input[0].type.tensor_type.shape.dim[0].HasField("dim_value"):
        raise CheckFailed(
            "the network fixes the number of images, as len(images) does; to export it, "
            "take it from images.shape[0]"
        )
    written.ir_version = IR_VERSIONS[opset]  # the exporter's own would shut out older runtimes
    _strip_source(written)
    set_metadata(written, metadata)
    return written


def _fold_norms(network: nn.Module) -> nn.Module:
    """Fold batch norms behind max pooling into the convolution before it, in place.

    ONNX Runtime folds only those that directly follow a convolution. Pooling and a norm commute if
    the norm's factors are not negative.
    """
    for parent in [part for part in network.modules() if isinstance(part, nn.Sequential)]:
        for i in range(len(parent) - 2):
            conv, pool, norm = parent[i], parent[i + 1], parent[i + 2]
            if (
                isinstance(conv, nn.Conv2d)
                and isinstance(pool, nn.MaxPool2d)
                and isinstance(norm, nn.BatchNorm2d)
                and bool((norm.weight >= 0).all())
            ):
                parent[i] = fuse_conv_bn_eval(conv, norm)
                parent[i + 2] = nn.Identity()
    return network


def _reason(error: BaseException) -> str:
    """Why the exporter failed, without its advice to torch's developers."""
    while error.__cause__ is not None:
        error = error.__cause__
    if not isinstance(error, GuardOnDataDependentSymNode):
        return str(error).strip().partition("\n")[0] or type(error).__name__
    found = re.search(r"raised this error:(\n  File .*(?:\n    .*)?)", str(error))
    return (
        "its forward depends on pixel values, as in an if or a loop"
        f"{found[1] if found else ''}\n"
        "compute all cases and choose among them with torch.where"
    )


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    """Silence the exporter's progress, its advice on torch's internals and its partial graphs."""
    level = logging.root.manager.disable
    nowhere = io.StringIO()
    with (
        warnings.catch_warnings(),
        contextlib.redirect_stdout(nowhere),
        contextlib.redirect_stderr(nowhere),
    ):
        warnings.simplefilter("ignore")
        logging.disable(logging.WARNING)
        try:
            yield
        finally:
            logging.disable(level)


def _strip_source(model: onnx.ModelProto) -> None:
    """Remove the exporter's notes: stack traces with paths of this machine, among others."""
    graph = model.graph
    for item in (graph, *graph.node, *graph.input, *graph.output, *graph.value_info):
        del item.metadata_props[:]
        item.doc_string = ""
    for tensor in graph.initializer:
        del tensor.metadata_props[:]
    model.producer_name, model.producer_version = "fmnist-cli", VERSION
    model.graph.name = "fmnist"


def set_metadata(model: onnx.ModelProto, metadata: ModelMetadata) -> None:
    """Store all metadata as JSON under one key, and the most useful entries under readable ones.

    A reader in any language needs only `classes`, a JSON list whose index is the label.
    """
    readable = {
        "classes": json.dumps(metadata.classes),
        "network": metadata.network.name,
        "recipe": metadata.recipe,
        "trained_on": metadata.data and metadata.data.spec,
        "val_accuracy": metadata.metrics and metadata.metrics.val_accuracy,
    }
    properties = {key: str(value) for key, value in readable.items() if value is not None}
    del model.metadata_props[:]
    onnx.helper.set_model_props(model, {METADATA_KEY: json.dumps(metadata.to_json()), **properties})
