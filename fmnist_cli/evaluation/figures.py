"""Plots of an evaluation: the confusion matrix as a file, and SVG for the report page."""

import io
import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from fmnist_cli.errors import UsageError
from fmnist_cli.evaluation.fonts import find_font
from fmnist_cli.evaluation.scores import CALIBRATION_BINS, Calibration, Scores
from fmnist_cli.training.curves import PANELS, plot_curves

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LEGIBLE_CLASSES: Final = 40
"""More classes make a matrix too large for numbers and names."""
_CLASS_INCHES: Final = 0.5
_NAME_LETTERS: Final = 24
_FORMATS: Final = {".png": "png", ".svg": "svg"}
_INK: Final = "#010203"
"""Placeholder for the page's text color while matplotlib draws."""
_SERIES: Final = ("#2f7de1", "#d9630b")
"""Colors with enough contrast on light and on dark pages."""
_NO_METADATA: Final = dict.fromkeys(("Creator", "Date", "Format", "Type"))


def confusion_format(path: Path) -> str:
    """The picture format of a file name. Raises UsageError for any but PNG and SVG."""
    try:
        return _FORMATS[path.suffix.lower()]
    except KeyError:
        raise UsageError(f"'{path}': a confusion matrix is written as .png or .svg") from None


def draw_confusion(scores: Scores, path: Path) -> bytes:
    """Plot the confusion matrix in the format of `path`, shaded by share of the row."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    matrix, picture_format = scores.confusion_matrix, confusion_format(path)
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    count_classes = len(scores.classes)
    is_legible = count_classes <= LEGIBLE_CLASSES
    side = max(7.0, _CLASS_INCHES * min(count_classes, LEGIBLE_CLASSES))
    ticks = range(0, count_classes, 1 if is_legible else -(-count_classes // LEGIBLE_CLASSES))
    # Names are the user's: a dollar sign is no formula.
    names = [scores.classes[tick][:_NAME_LETTERS].replace("$", r"\$") for tick in ticks]
    fonts = list(dict.fromkeys(["DejaVu Sans", find_font("".join(names)).name]))
    # Without a date and random ids the same matrix gives the same bytes.
    metadata: dict[str, Any] = {"Date": None} if picture_format == "svg" else {}
    settings: Any = {"font.family": fonts, "svg.hashsalt": "confusion"}
    picture = io.BytesIO()
    with rc_context(settings), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph")  # `find_font` has warned
        figure = Figure(figsize=(side + 1, side), layout="constrained")
        axes = figure.subplots()
        axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        axes.set_xticks(ticks, names, rotation=45, ha="right", rotation_mode="anchor")
        axes.set_yticks(ticks, names)
        axes.set_xlabel("predicted")
        axes.set_ylabel("true")
        for (row, column), count in np.ndenumerate(matrix):
            if count and is_legible:
                shade = "white" if shares[row, column] > 0.5 else "black"
                axes.text(column, row, f"{count:,}", ha="center", va="center", color=shade)
        figure.savefig(picture, format=picture_format, dpi=120, metadata=metadata)
    return picture.getvalue()


def curves_svg(history: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """One SVG per panel of the learning curves, by title; `history` as `plot_curves` takes it."""
    return {title: _as_svg(partial(plot_curves, history, title), title) for title in PANELS}


def reliability_svg(calibration: Calibration) -> str:
    """Reliability diagram: accuracy by confidence."""
    return _as_svg(partial(_plot_reliability, calibration), "reliability")


def _plot_reliability(calibration: Calibration) -> "Figure":
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5, 4.6), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    width = 1 / CALIBRATION_BINS
    starts = [index * width for index in range(CALIBRATION_BINS)]
    above.bar(starts, calibration.accuracy, width, align="edge", edgecolor=_INK, linewidth=0.5)
    above.plot((0, 1), (0, 1), linestyle="--", color=_INK, label="perfectly calibrated")
    above.set_ylabel("accuracy")
    above.set_ylim(0, 1)
    above.legend(loc="upper left")
    below.bar(starts, calibration.counts, width, align="edge", edgecolor=_INK, linewidth=0.5)
    below.set_ylabel("images")
    below.set_xlabel("probability of the predicted class")
    below.set_xlim(0, 1)
    return figure


def _as_svg(plot: Callable[[], "Figure"], name: str) -> str:
    """SVG whose lines and text take the page's text color."""
    from matplotlib import rc_context
    from matplotlib.rcsetup import cycler

    inked: Any = ("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color")
    stream = io.StringIO()
    with rc_context(
        {
            **dict.fromkeys((*inked, "grid.color"), _INK),
            "axes.prop_cycle": cycler("color", _SERIES),
            "legend.framealpha": 0.0,
            "svg.fonttype": "none",  # text stays text, for search and screen readers
            "svg.hashsalt": name,  # the same scores give the same page
        }
    ):
        plot().savefig(stream, format="svg", transparent=True, metadata=_NO_METADATA)
    svg = stream.getvalue()
    svg = svg[svg.index("<svg") :].replace(_INK, "currentColor")
    # The ids of groups would repeat across the page's plots; those of definitions are hashes,
    # salted with the plot's name.
    return re.sub(r' id="[a-z0-9.]+_\d+"', "", svg)
