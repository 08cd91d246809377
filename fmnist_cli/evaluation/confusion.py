"""The confusion matrix as a picture."""

import io
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from fmnist_cli.constants import CLASS_NAMES
from fmnist_cli.errors import UsageError

SUFFIXES: Final = (".png", ".svg")


def picture_format(path: Path) -> str:
    """The format that a file's name asks for. Raises UsageError for any but PNG and SVG."""
    if path.suffix.lower() not in SUFFIXES:
        raise UsageError(f"'{path}' is neither .png nor .svg, the formats of a confusion matrix")
    return path.suffix.lower().removeprefix(".")


def draw_confusion(matrix: NDArray[np.int64], picture_format: str) -> bytes:
    """Draw counts [10, 10], row = true class, column = predicted, shaded by share of the row."""
    from matplotlib.figure import Figure

    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    figure = Figure(figsize=(8, 7), layout="constrained")
    axes = figure.subplots()
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    ticks = range(len(CLASS_NAMES))
    axes.set_xticks(ticks, CLASS_NAMES, rotation=45, ha="right", rotation_mode="anchor")
    axes.set_yticks(ticks, CLASS_NAMES)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    for (row, column), count in np.ndenumerate(matrix):
        if count:
            shade = "white" if shares[row, column] > 0.5 else "black"
            axes.text(column, row, f"{count:,}", ha="center", va="center", color=shade)
    # Without a date the same matrix gives the same bytes.
    metadata: dict[str, Any] = {"Date": None} if picture_format == "svg" else {}
    picture = io.BytesIO()
    figure.savefig(picture, format=picture_format, dpi=120, metadata=metadata)
    return picture.getvalue()
