"""Names by which an ONNX file of this project is used: what is written, checked and read."""

from typing import Final

IMAGES: Final = "images"
"""Input: uint8 [N, 28, 28], raw pixels."""
PROBABILITIES: Final = "probabilities"
"""Output: float32 [N, 10]."""
LABEL: Final = "label"
"""Output: int64 [N], index of the greatest probability."""
LOGITS: Final = "logits"
"""Optional output: float32 [N, 10]."""
METADATA_KEY: Final = "fmnist"
"""Entry of the file's metadata that holds all of the model's as one JSON document."""

OPSETS: Final = range(17, 24)
"""Versions of the operators that are written: 17 has every one needed, up to 23 is tested."""
DEFAULT_OPSET: Final = 17
"""Runs in ONNX Runtime 1.12 (2022) and everything newer; a higher one makes no network faster."""
