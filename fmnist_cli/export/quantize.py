"""An ONNX model in 8-bit integers, and what that changes in accuracy, size and speed.

Static quantization in QDQ form: the ranges of activations are measured on training images, weights
have one scale per output channel, and the nodes are of the standard domain.
"""

import statistics
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any, Final

import numpy as np
import onnx

from fmnist_cli.constants import IMAGE_SIZE
from fmnist_cli.data.images import LabeledImages
from fmnist_cli.inference.onnx_backend import OnnxClassifier
from fmnist_cli.inference.onnx_contract import IMAGES

CALIBRATION_IMAGES: Final = 1_000
_CALIBRATION_BATCH: Final = 100
_QUANTIZED: Final = ("Conv", "Gemm", "MatMul", "Add", "Mul", "MaxPool", "GlobalAveragePool")
LARGE_LOSS: Final = 0.3
"""Points of accuracy; a larger loss gives a warning."""
_TIMED_IMAGES: Final = 256
_TIMED_RUNS: Final = 7


@dataclass(frozen=True, slots=True)
class Quantization:
    """fp32 and int8 side by side, on this machine."""

    validation_images: int
    accuracy_fp32: float | None
    """On the validation split; None if the model has none."""
    accuracy_int8: float | None
    size_fp32_bytes: int
    size_int8_bytes: int
    images_per_second_fp32: float
    """At batches of 256, the median of 7 runs."""
    images_per_second_int8: float

    @property
    def accuracy_change(self) -> float | None:
        """int8 minus fp32, in percentage points; None without a validation split."""
        if self.accuracy_fp32 is None or self.accuracy_int8 is None:
            return None
        return 100 * (self.accuracy_int8 - self.accuracy_fp32)

    def summary(self) -> list[str]:
        """The figures, a line each."""
        change = self.accuracy_change
        accuracy = "not measured: the model has no validation split"
        if change is not None:
            accuracy = f"{self.accuracy_fp32:.2%} -> {self.accuracy_int8:.2%} ({change:+.2f} points"
            accuracy += f" on {self.validation_images:,} validation images)"
        fp32, int8 = self.images_per_second_fp32, self.images_per_second_int8
        return [
            f"int8 accuracy: {accuracy}",
            f"int8 size: {self.size_fp32_bytes:,} -> {self.size_int8_bytes:,} bytes",
            f"int8 speed: {fp32:,.0f} -> {int8:,.0f} images/s here",
        ]

    def warnings(self) -> list[str]:
        """Reasons not to use the int8 file."""
        found = []
        if self.accuracy_change is not None and self.accuracy_change < -LARGE_LOSS:
            found.append(f"int8 loses {-self.accuracy_change:.2f} points of accuracy")
        if self.images_per_second_int8 < self.images_per_second_fp32:
            found.append("int8 is slower than fp32 on this machine")
        return found

    def as_dict(self) -> dict[str, Any]:
        """Plain data for the file's metadata."""
        return {**asdict(self), "accuracy_change_points": self.accuracy_change}


def quantize(model: onnx.ModelProto, training: LabeledImages) -> onnx.ModelProto:
    """Quantize a model's weights and activations to int8, calibrated on training images."""
    from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quantize_static

    images = training.images[:CALIBRATION_IMAGES]
    starts = range(0, len(images), _CALIBRATION_BATCH)
    batches = iter([{IMAGES: images[start : start + _CALIBRATION_BATCH]} for start in starts])
    prepared = onnx.ModelProto()
    prepared.CopyFrom(model)
    # What ONNX Runtime's own normalization would do is done: batch norms are folded already.
    onnx.helper.set_model_props(prepared, {"onnx.quant.pre_process": "onnxruntime.quant"})
    with TemporaryDirectory() as folder:
        written = Path(folder) / "int8.onnx"
        quantize_static(
            prepared,
            written,
            SimpleNamespace(get_next=lambda: next(batches, None)),  # a CalibrationDataReader
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=list(_QUANTIZED),
            per_channel=True,
            # Weights of 7 bits. Processors without VNNI add two products in 16 bits, which full
            # weights overflow: `pretrained` lost 1.9 points there, and nothing with VNNI.
            reduce_range=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            calibrate_method=CalibrationMethod.MinMax,
        )
        quantized = onnx.load(written)
    del quantized.opset_import[:]
    quantized.opset_import.extend(model.opset_import)
    quantized.ir_version = model.ir_version
    onnx.checker.check_model(quantized, full_check=True)
    return quantized


def measure(fp32: OnnxClassifier, int8: OnnxClassifier, validation: LabeledImages) -> Quantization:
    """Accuracy, size and speed of both, their runs alternating."""
    images = validation.images[:_TIMED_IMAGES]
    if not len(images):
        images = np.zeros((_TIMED_IMAGES, IMAGE_SIZE, IMAGE_SIZE), np.uint8)
    seconds: dict[OnnxClassifier, list[float]] = {fp32: [], int8: []}
    for _ in range(_TIMED_RUNS + 1):
        for classifier, taken in seconds.items():
            started_at = time.perf_counter()
            classifier(images)
            taken.append(time.perf_counter() - started_at)
    # The first run of each warms up.
    speeds = [len(images) / statistics.median(taken[1:]) for taken in seconds.values()]
    return Quantization(
        validation_images=len(validation),
        accuracy_fp32=_accuracy(fp32, validation),
        accuracy_int8=_accuracy(int8, validation),
        size_fp32_bytes=fp32.path.stat().st_size,
        size_int8_bytes=int8.path.stat().st_size,
        images_per_second_fp32=speeds[0],
        images_per_second_int8=speeds[1],
    )


def _accuracy(classifier: OnnxClassifier, images: LabeledImages) -> float | None:
    if not len(images):
        return None
    return float((classifier(images.images).argmax(axis=1) == images.labels).mean())
