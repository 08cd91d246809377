"""Plots inside a page: SVG whose lines and words take the colors of the page."""

import io
import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from fmnist_cli.evaluation.scores import CALIBRATION_BINS, Calibration
from fmnist_cli.training.curves import PANELS, plot_curves

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_INK: Final = "#010203"
"""Stands for the page's text color while matplotlib draws."""
_SERIES: Final = ("#2f7de1", "#d9630b")
"""Colors that stand out from white and from a dark page alike."""
_NO_METADATA: Final = dict.fromkeys(("Creator", "Date", "Format", "Type"))


def curves_svg(history: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Learning curves, each panel for itself by its title; `history` as `draw_curves` takes it."""
    return {title: _as_svg(partial(plot_curves, history, title), title) for title in PANELS}


def reliability_svg(calibration: Calibration) -> str:
    """Reliability diagram: how often the model is right, by how sure it is."""
    return _as_svg(partial(_plot_reliability, calibration), "reliability")


def _plot_reliability(calibration: Calibration) -> "Figure":
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5, 4.6), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    width = 1 / CALIBRATION_BINS
    starts = [index * width for index in range(CALIBRATION_BINS)]
    above.bar(starts, calibration.accuracy, width, align="edge", edgecolor=_INK, linewidth=0.5)
    above.plot((0, 1), (0, 1), linestyle="--", color=_INK, label="as sure as right")
    above.set_ylabel("share that is right")
    above.set_ylim(0, 1)
    above.legend(loc="upper left")
    below.bar(starts, calibration.counts, width, align="edge", edgecolor=_INK, linewidth=0.5)
    below.set_ylabel("images")
    below.set_xlabel("probability of the predicted class")
    below.set_xlim(0, 1)
    return figure


def _as_svg(plot: Callable[[], "Figure"], name: str) -> str:
    from matplotlib import rc_context
    from matplotlib.rcsetup import cycler

    stream = io.StringIO()
    with rc_context(
        {
            "text.color": _INK,
            "axes.edgecolor": _INK,
            "axes.labelcolor": _INK,
            "xtick.color": _INK,
            "ytick.color": _INK,
            "grid.color": _INK,
            "axes.prop_cycle": cycler("color", _SERIES),
            "legend.framealpha": 0.0,
            "svg.fonttype": "none",  # words stay words: they can be found and read aloud
            "svg.hashsalt": name,  # the same scores give the same page
        }
    ):
        plot().savefig(stream, format="svg", transparent=True, metadata=_NO_METADATA)
    svg = stream.getvalue()
    svg = svg[svg.index("<svg") :].replace(_INK, "currentColor")
    # Names of groups would occur twice in a page of several plots; those of definitions are
    # hashes, salted with the plot's name.
    return re.sub(r' id="[a-z0-9.]+_\d+"', "", svg)
