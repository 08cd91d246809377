"""Learning curves of several runs in one picture or page."""

import io
import json
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any, Final

from fmnist_cli.constants import VERSION
from fmnist_cli.errors import UsageError
from fmnist_cli.runs.record import RunRecord

PANELS: Final = {"validation accuracy": "val_accuracy", "validation loss": "val_loss"}
"""What is drawn: columns of `history.csv` by title."""
_FORMATS: Final = (".png", ".svg", ".html")
_MAX_LEGEND: Final = 24
"""More lines than this are not told apart by a legend."""
Line = tuple[str, int, RunRecord]
"""Label, number of the color, run."""


def check_format(path: Path) -> None:
    """Raise UsageError for a file name that is no PNG, SVG or HTML."""
    if path.suffix.lower() not in _FORMATS:
        raise UsageError(f"'{path}': learning curves are written as .png, .svg or .html")


def draw(lines: Sequence[Line], path: Path) -> bytes:
    """Draw the validation accuracy and loss of all runs by epoch, in the format of `path`."""
    suffix = path.suffix.lower()
    return _page(lines).encode() if suffix == ".html" else _picture(lines, suffix[1:])


def _picture(lines: Sequence[Line], picture_format: str) -> bytes:
    from matplotlib import rc_context
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    # Names are shown as they are: a dollar sign starts no formula.
    with rc_context({"text.parse_math": False, "svg.hashsalt": "runs"}):
        figure = Figure(figsize=(11, 4.5), layout="constrained")
        for axes, (title, column) in zip(figure.subplots(1, 2), PANELS.items(), strict=True):
            for _, color, run in lines:
                epochs = [row["epoch"] for row in run.history if row[column] is not None]
                values = [row[column] for row in run.history if row[column] is not None]
                axes.plot(epochs, values, marker=".", linewidth=1.2, color=f"C{color % 10}")
            axes.set_title(title)
            axes.set_xlabel("epoch")
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
            axes.grid(alpha=0.3)
        labels = {label: color for label, color, _ in reversed(lines)}
        if 0 < len(labels) <= _MAX_LEGEND:
            from matplotlib.lines import Line2D

            shown = list(reversed(labels.items()))
            figure.legend(
                [Line2D([], [], color=f"C{color % 10}") for _, color in shown],
                # A label that begins with an underscore would be left out.
                [f" {label[:60]}" for label, _ in shown],
                loc="outside lower center",
                ncols=2,
                fontsize="small",
                frameon=False,
            )
        picture = io.BytesIO()
        metadata: dict[str, Any] = {"Date": None} if picture_format == "svg" else {}
        figure.savefig(picture, format=picture_format, dpi=120, metadata=metadata)
    return picture.getvalue()


def _page(lines: Sequence[Line]) -> str:
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    data = [
        {
            "label": label,
            "name": run.name,
            "color": color % 8,
            "state": run.state,
            **{
                column: [
                    [row["epoch"], row[column]] for row in run.history if row[column] is not None
                ]
                for column in PANELS.values()
            },
        }
        for label, color, run in lines
    ]
    # Inside a script element "<" could end it; in JSON the escape is the same character.
    script_safe = json.dumps(data).replace("<", "\\u003c")
    template = resources.files(__package__).joinpath("curves.html").read_text(encoding="utf-8")
    return (
        Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
        .from_string(template)
        .render(lines=lines, panels=PANELS, data=Markup(script_safe), version=VERSION)  # noqa: S704
    )
