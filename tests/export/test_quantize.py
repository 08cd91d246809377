"""int8 files, and the figures that go with them."""

from pathlib import Path

import numpy as np
import onnx

from fmnist_cli.export.onnx_file import export
from fmnist_cli.export.quantize import Quantization, measure, quantize
from fmnist_cli.inference.onnx_backend import OnnxClassifier
from fmnist_cli.pretrained import locate
from tests.sample_images import draw
from tests.written_models import write_checkpoint, write_onnx


def test_int8_gives_nearly_the_same_probabilities(tmp_path: Path) -> None:
    fp32_file, int8_file = tmp_path / "fp32.onnx", tmp_path / "int8.onnx"
    export(locate("pretrained"), fp32_file, verify=20)
    quantized = quantize(onnx.load(fp32_file), draw(100, "train"))
    int8_file.write_bytes(quantized.SerializeToString())
    images = draw(200, "test").images
    fp32, int8 = (
        OnnxClassifier(file, device="cpu", threads=1)(images) for file in (fp32_file, int8_file)
    )
    between_images = np.abs(fp32 - np.roll(int8, 1, axis=0)).mean()
    assert np.abs(fp32 - int8).mean() < between_images / 4
    assert not np.array_equal(fp32, int8)
    assert int8_file.stat().st_size < 0.4 * fp32_file.stat().st_size


def test_int8_keeps_domain_and_interface_and_products_fit_in_16_bits(tmp_path: Path) -> None:
    model = onnx.load(write_onnx(tmp_path / "fp32.onnx"))
    quantized = quantize(model, draw(50, "train"))
    assert quantized.opset_import == model.opset_import
    assert quantized.graph.input == model.graph.input
    assert quantized.graph.output == model.graph.output
    assert {"QuantizeLinear", "DequantizeLinear"} < {node.op_type for node in quantized.graph.node}
    weights = [
        onnx.numpy_helper.to_array(tensor)
        for tensor in quantized.graph.initializer
        if tensor.data_type == onnx.TensorProto.INT8 and len(tensor.dims) > 1
    ]
    assert weights
    largest = max(int(np.abs(values.astype(int)).max()) for values in weights)
    assert largest > 32
    assert 2 * 255 * largest < 2**15


def test_figures_are_in_the_file(tmp_path: Path) -> None:
    model = write_checkpoint(tmp_path / "model.pt")
    exported = export(model, tmp_path / "model.onnx", verify=20, int8=True)
    assert exported.quantization is not None
    figures = exported.metadata["export"]["quantization"]
    assert figures == exported.quantization.as_dict()
    assert figures["validation_images"] == 100
    assert figures["size_int8_bytes"] < figures["size_fp32_bytes"]
    assert 0 <= figures["accuracy_int8"] <= 1


def test_without_a_validation_split_no_accuracy_is_claimed(tmp_path: Path) -> None:
    classifier = OnnxClassifier(write_onnx(tmp_path / "model.onnx"))
    measured = measure(classifier, OnnxClassifier(classifier.path), draw(0, "train"))
    assert measured.accuracy_change is None
    assert "no validation split" in measured.summary()[0]
    assert measured.images_per_second_int8 > 0


def test_reasons_against_int8() -> None:
    worse = Quantization(100, 0.92, 0.90, 4, 1, 1000.0, 500.0)
    assert [warning.split()[1] for warning in worse.warnings()] == ["loses", "is"]
    better = Quantization(100, 0.92, 0.919, 4, 1, 500.0, 1000.0)
    assert better.warnings() == []
    assert "-0.10 points" in better.summary()[0]
