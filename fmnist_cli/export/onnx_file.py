"""A model file as one ONNX file that is verified before it appears."""

import base64
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import onnx
import onnxruntime
import torch

from fmnist_cli.checkpoints.archive import read_digests
from fmnist_cli.checkpoints.metadata import ModelMetadata
from fmnist_cli.checkpoints.weights import Stem, open_model
from fmnist_cli.constants import VERSION
from fmnist_cli.data.images import ONNX_RECORD_KEY
from fmnist_cli.data.normalization import Normalization
from fmnist_cli.errors import UsageError
from fmnist_cli.export.graph import build_graph, set_metadata
from fmnist_cli.export.parity import Parity, check_parity
from fmnist_cli.export.quantize import Quantization, measure, quantize
from fmnist_cli.export.samples import parity_images, training_and_validation
from fmnist_cli.files import atomic_write, check_writable, sha256
from fmnist_cli.inference.loading import needs_torch
from fmnist_cli.inference.onnx_backend import OnnxClassifier
from fmnist_cli.inference.onnx_contract import DEFAULT_OPSET
from fmnist_cli.inference.torch_backend import TorchClassifier


@dataclass(frozen=True, slots=True)
class Exported:
    """A file that was written, and the results of its verification."""

    path: Path
    metadata: dict[str, Any]
    """As in the file: the model's own, and the export's under `export`."""
    parity: Parity
    quantization: Quantization | None
    assumed: str
    """What had to be assumed about weights without metadata, as a sentence."""

    def card(self) -> dict[str, Any]:
        """Plain data under the keys of `fmnist export-onnx --format json`."""
        written = onnx.load(self.path)
        graph = written.graph
        return {
            "model": str(self.path),
            "size_bytes": self.path.stat().st_size,
            "sha256": sha256(self.path),
            "opset": written.opset_import[0].version,
            "inputs": {value.name: _type(value) for value in graph.input},
            "outputs": {value.name: _type(value) for value in graph.output},
            "operators": sorted({node.op_type for node in graph.node}),
            "nodes": len(graph.node),
            "metadata": self.metadata,
        }


def export(
    model: Path,
    output: Path,
    *,
    network: str | None = None,
    normalization: Normalization | None = None,
    stem: Stem | None = None,
    classes: tuple[str, ...] | None = None,
    opset: int = DEFAULT_OPSET,
    verify: int = 1_000,
    logits: bool = False,
    tta: bool = False,
    int8: bool = False,
    data_dir: Path | None = None,
) -> Exported:
    """Write a model file's network as ONNX, whole and verified, or not at all.

    network, normalization, stem, classes: for weights without metadata: see `open_model`.
    verify: number of images on which the file must agree with torch before it appears.
    int8: quantize the verified graph, calibrated on the model's training images.
    data_dir: directory of the official files; nothing is downloaded.
    Raises UsageError for a model that is ONNX already, CheckFailed if the two disagree or torch
    can't export the network, and the errors of reading the model and writing the file.
    """
    if not needs_torch(model, network):
        raise UsageError(f"'{model}' is an ONNX file already; expected a .pt")
    if output.resolve() == model.resolve():
        raise UsageError(f"--output would replace the model '{model}'")
    check_writable(output)
    read = open_model(model, network, normalization=normalization, stem=stem, classes=classes)
    graph = build_graph(read.model, read.metadata, opset=opset, logits=logits, tta=tta)
    reference = TorchClassifier(model, read, device="cpu")
    images, source = parity_images(read.metadata, verify, data_dir)
    quantization = None
    with atomic_write(output) as temporary:
        temporary.write_bytes(graph.SerializeToString())
        exported = OnnxClassifier(temporary, device="cpu")
        parity = check_parity(reference, exported, images, source, tta=tta)
        if int8:
            graph, quantization = _quantize(graph, exported, read.metadata, data_dir)
        # The results are added to the verified graph: metadata changes no computation.
        record = {
            "opset": opset,
            "tta": tta,
            "parity": asdict(parity),
            "quantization": quantization and quantization.as_dict(),
            "checkpoint_sha256": sha256(model),
            "versions": {
                "fmnist": VERSION,
                "torch": torch.__version__,
                "onnx": onnx.__version__,
                "onnxruntime": onnxruntime.__version__,
            },
            "exported_at": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        metadata = replace(read.metadata, extra={**read.metadata.extra, "export": record})
        set_metadata(graph, metadata)
        if not read.assumed and (digests := read_digests(model)):
            text = base64.b64encode(digests).decode()
            graph.metadata_props.add(key=ONNX_RECORD_KEY, value=text)
        temporary.write_bytes(graph.SerializeToString())
    return Exported(output, metadata.to_json(), parity, quantization, read.assumed)


def _quantize(
    graph: onnx.ModelProto, fp32: OnnxClassifier, metadata: ModelMetadata, data_dir: Path | None
) -> tuple[onnx.ModelProto, Quantization]:
    training, validation = training_and_validation(metadata, data_dir)
    quantized = quantize(graph, training)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "int8.onnx"
        path.write_bytes(quantized.SerializeToString())
        int8 = OnnxClassifier(path, device="cpu", classes=fp32.classes)
        return quantized, measure(fp32, int8, validation)


def _type(value: onnx.ValueInfoProto) -> str:
    """Element type and shape, such as uint8 [N, 28, 28]."""
    tensor = value.type.tensor_type
    kind = onnx.helper.tensor_dtype_to_np_dtype(tensor.elem_type)
    sizes = ", ".join(dim.dim_param or str(dim.dim_value) for dim in tensor.shape.dim)
    return f"{kind} [{sizes}]"
