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

OPSETS: Final = range(18, 24)
"""Operator versions that can be written; torch exports nothing older than 18."""
DEFAULT_OPSET: Final = 18
"""Runs in ONNX Runtime 1.14 (2023) and newer; a higher version makes no network faster."""
