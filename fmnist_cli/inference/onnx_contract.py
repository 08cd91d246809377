"""Names by which an ONNX file of this project is used: what is written, checked and read."""

from typing import Final

IMAGES: Final = "images"
"""Input: uint8 [N, 28, 28], raw pixels."""
PROBABILITIES: Final = "probabilities"
"""Output: float32 [N, K]."""
LABEL: Final = "label"
"""Output: int64 [N], index of the greatest probability."""
LOGITS: Final = "logits"
"""Optional output: float32 [N, K]."""
METADATA_KEY: Final = "fmnist"
"""Entry of the file's metadata that holds all of the model's as one JSON document."""

OPSETS: Final = range(18, 24)
"""Operator versions that can be written; torch exports nothing older than 18."""
DEFAULT_OPSET: Final = 18
"""The oldest, which the most runtimes open; a higher version makes no network faster."""
IR_VERSIONS: Final = {18: 8, 19: 9, 20: 9, 21: 10, 22: 10, 23: 11}
"""File format of the ONNX release that introduced an opset: onnx/docs/Versioning.md."""
RUNTIMES: Final = {18: "1.15", 19: "1.16", 20: "1.17", 21: "1.18", 22: "1.21", 23: "1.23"}
"""The oldest ONNX Runtime that ran an exported file of each opset (oldest tried: 1.15.1)."""
