"""A model file as one ONNX file that is proved before it appears."""

import base64
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import onnx
import onnxruntime
import torch

from fmnist_cli.checkpoints.archive import read_digests
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
from fmnist_cli.inference.loading import load
from fmnist_cli.inference.onnx_backend import OnnxClassifier, open_classifier
from fmnist_cli.inference.onnx_contract import DEFAULT_OPSET


@dataclass(frozen=True, slots=True)
class Exported:
    """A file that was written, and what was proved of it."""

    path: Path
    metadata: dict[str, Any]
    """As in the file: the model's own, and under `export` what the export adds."""
    parity: Parity
    quantization: Quantization | None
    assumed: str
    """What had to be assumed about weights without metadata, as a sentence."""

    def card(self) -> dict[str, Any]:
        """Plain data that describes the file to whoever is to use it."""
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
    """Write a model file's network as ONNX, whole and proved, or not at all.

    network, normalization, stem, classes: for weights without metadata: see `open_model`.
    verify: images on which the file has to agree with torch before it appears.
    int8: quantize what was proved, calibrated on the model's training images.
    data_dir: where the official files are looked for; nothing is downloaded.
    Raises UsageError for a model that is ONNX already, CheckFailed where the two disagree or the
    network can't be written, and what reading the model or writing the file raises.
    """
    known: dict[str, Any] = {
        "network": network,
        "normalization": normalization,
        "stem": stem,
        "classes": classes,
    }
    reference = load(model, **known, device="cpu")
    if reference.backend == "onnx":
        raise UsageError(f"'{model}' is an ONNX file already; expected a .pt")
    if output.resolve() == model.resolve():
        raise UsageError(f"--output would replace the model '{model}'")
    check_writable(output)
    read = open_model(model, **known)
    recorded = read.metadata.to_json()
    graph = build_graph(
        read.model, read.normalization, recorded, opset=opset, logits=logits, tta=tta
    )
    images, source = parity_images(recorded, verify, data_dir)
    quantization = None
    with atomic_write(output) as temporary:
        temporary.write_bytes(graph.SerializeToString())
        proved = open_classifier(temporary, device="cpu", threads=None)
        parity = check_parity(reference, proved, images, source, tta=tta)
        if int8:
            graph, quantization = _quantize(graph, proved, recorded, data_dir)
        # The result of the proof goes into what was proved: metadata changes no computation.
        metadata = {
            **recorded,
            "export": {
                "opset": opset,
                "tta": tta,
                "parity": parity.as_dict(),
                "quantization": quantization and quantization.as_dict(),
                "checkpoint_sha256": sha256(model),
                "versions": _versions(),
                "exported_at": datetime.now(UTC).isoformat(timespec="seconds"),
            },
        }
        set_metadata(graph, metadata)
        _add_record(graph, b"" if read.assumed else read_digests(model))
        temporary.write_bytes(graph.SerializeToString())
    return Exported(output, metadata, parity, quantization, read.assumed)


def _quantize(
    graph: onnx.ModelProto, fp32: OnnxClassifier, metadata: dict[str, Any], data_dir: Path | None
) -> tuple[onnx.ModelProto, Quantization]:
    training, validation = training_and_validation(metadata, data_dir)
    quantized = quantize(graph, training)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "int8.onnx"
        path.write_bytes(quantized.SerializeToString())
        int8 = open_classifier(path, device="cpu", threads=None, classes=fp32.classes)
        return quantized, measure(fp32, int8, validation)


def _add_record(graph: onnx.ModelProto, record: bytes) -> None:
    """Carry the digests of the training images along, where the model has them."""
    if record:
        text = base64.b64encode(record).decode()
        graph.metadata_props.add(key=ONNX_RECORD_KEY, value=text)


def _versions() -> dict[str, str]:
    return {
        "fmnist": VERSION,
        "torch": torch.__version__,
        "onnx": onnx.__version__,
        "onnxruntime": onnxruntime.__version__,
    }


def _type(value: onnx.ValueInfoProto) -> str:
    """Element type and shape as they are spoken of: uint8 [N, 28, 28]."""
    tensor = value.type.tensor_type
    kind = onnx.helper.tensor_dtype_to_np_dtype(tensor.elem_type)
    sizes = ", ".join(dim.dim_param or str(dim.dim_value) for dim in tensor.shape.dim)
    return f"{kind} [{sizes}]"
