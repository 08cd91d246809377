"""Learning curves of several runs in one picture or page."""

import io
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Final, NamedTuple

from fmnist_cli.constants import VERSION
from fmnist_cli.errors import UsageError
from fmnist_cli.runs.groups import Group
from fmnist_cli.runs.record import RunRecord

PANELS: Final = {"validation accuracy": "val_accuracy", "validation loss": "val_loss"}
"""Columns of `history.csv` to plot, by title."""
_FORMATS: Final = (".png", ".svg", ".html")
_MAX_LEGEND: Final = 24
"""A legend with more lines would not fit."""
_COLORS: Final = 8
"""Number of colors of the page, which repeat."""


class Point(NamedTuple):
    """An epoch: the mean of the runs, and the lowest and highest of them."""

    epoch: int
    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Curve:
    """A curve in one color: a run, or the runs of a group."""

    label: str
    detail: str
    """The number of runs, below the label; empty for a single run."""
    epochs: int
    val_accuracy: float | None
    state: str
    points: Mapping[str, Sequence[Point]]
    """By column of `history.csv`."""

    @classmethod
    def of(cls, group: Group, label: str, detail: str = "") -> "Curve":
        """The mean over the runs of a group."""
        run = group.runs[0]
        mean = group.val_accuracy.mean
        return cls(label, detail, run.epochs, mean, run.state, _points(group.runs))


def _points(runs: Sequence[RunRecord]) -> dict[str, list[Point]]:
    """Points of the epochs that all of the runs have completed."""
    found: dict[str, list[Point]] = {}
    for column in PANELS.values():
        rows = zip(*([row[column] for row in run.history] for run in runs), strict=False)
        found[column] = [
            Point(epoch, statistics.fmean(values), min(values), max(values))
            for epoch, row in enumerate(rows, 1)
            if len(values := [value for value in row if value is not None]) == len(row)
        ]
    return found


def check_format(path: Path) -> None:
    """Raise UsageError unless the file name ends with .png, .svg or .html."""
    if path.suffix.lower() not in _FORMATS:
        raise UsageError(f"'{path}': learning curves are written as .png, .svg or .html")


def draw(curves: Sequence[Curve], path: Path) -> bytes:
    """Plot validation accuracy and loss by epoch, in the format of `path`."""
    suffix = path.suffix.lower()
    return _page(curves).encode() if suffix == ".html" else _picture(curves, suffix[1:])


def _picture(curves: Sequence[Curve], picture_format: str) -> bytes:
    from matplotlib import rc_context
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    # Names are shown as they are: a dollar sign starts no formula.
    with rc_context({"text.parse_math": False, "svg.hashsalt": "runs"}):
        figure = Figure(figsize=(11, 4.5), layout="constrained")
        for axes, (title, column) in zip(figure.subplots(1, 2), PANELS.items(), strict=True):
            for number, curve in enumerate(curves):
                color = f"C{number % 10}"
                if points := curve.points[column]:
                    epochs, means, lows, highs = zip(*points, strict=True)
                    axes.fill_between(epochs, lows, highs, color=color, alpha=0.15, linewidth=0)
                    axes.plot(epochs, means, marker=".", linewidth=1.2, color=color)
            axes.set_title(title)
            axes.set_xlabel("epoch")
            axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
            axes.grid(alpha=0.3)
        if 0 < len(curves) <= _MAX_LEGEND:
            from matplotlib.lines import Line2D

            figure.legend(
                [Line2D([], [], color=f"C{number % 10}") for number in range(len(curves))],
                # A label that begins with an underscore would be left out.
                [f" {curve.label[:60]}" for curve in curves],
                loc="outside lower center",
                ncols=2,
                fontsize="small",
                frameon=False,
            )
        picture = io.BytesIO()
        metadata: dict[str, Any] = {"Date": None} if picture_format == "svg" else {}
        figure.savefig(picture, format=picture_format, dpi=120, metadata=metadata)
    return picture.getvalue()


def _page(curves: Sequence[Curve]) -> str:
    from jinja2 import Environment, StrictUndefined

    template = resources.files(__package__).joinpath("curves.html").read_text(encoding="utf-8")
    return (
        Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
        .from_string(template)
        .render(curves=list(map(asdict, curves)), colors=_COLORS, panels=PANELS, version=VERSION)
    )
