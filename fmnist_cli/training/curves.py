"""Learning curves of a run."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PANELS: Final[Mapping[str, Sequence[str]]] = {
    "loss": ("train_loss", "val_loss"),
    "accuracy": ("train_accuracy", "val_accuracy"),
    "learning rate": ("lr",),
}
"""Columns of `history.csv` to plot, by title."""
_INCHES: Final = (3.33, 3.2)
"""Of one panel."""


def plot_curves(history: Sequence[Mapping[str, Any]], *titles: str) -> "Figure":
    """Plot some of the panels side by side.

    history: a row per epoch, with the columns of `history.csv`.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    width, height = _INCHES
    figure = Figure(figsize=(width * len(titles), height), layout="constrained")
    panels = figure.subplots(1, len(titles), squeeze=False)[0]
    epochs = [row["epoch"] for row in history]
    for axes, title in zip(panels, titles, strict=True):
        for column in PANELS[title]:
            values = [row[column] for row in history]
            if values and values[0] is not None:
                label = "training" if column.startswith("train") else "validation"
                axes.plot(epochs, values, marker=".", label=None if column == "lr" else label)
        axes.set_title(title)
        axes.set_xlabel("epoch")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        axes.grid(alpha=0.3)
        if len(PANELS[title]) > 1:
            axes.legend()
        else:
            axes.set_ylim(bottom=0)  # or rounding errors of a constant rate would show
    return figure
