"""Learning curves of a run as a picture."""

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw_curves(history: Sequence[Mapping[str, Any]]) -> bytes:
    """Draw loss, accuracy and learning rate over the epochs; returns a PNG.

    history: one mapping an epoch, with the columns of `history.csv`.
    """
    picture = io.BytesIO()
    plot_curves(history).savefig(picture, format="png", dpi=110)
    return picture.getvalue()


def plot_curves(history: Sequence[Mapping[str, Any]]) -> "Figure":
    """The same, to be saved in any format."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    figure = Figure(figsize=(10, 3.2), layout="constrained")
    epochs = [row["epoch"] for row in history]
    panels = (
        ("loss", ("train_loss", "val_loss")),
        ("accuracy", ("train_accuracy", "val_accuracy")),
        ("learning rate", ("lr",)),
    )
    for axes, (title, columns) in zip(figure.subplots(1, len(panels)), panels, strict=True):
        for column in columns:
            values = [row[column] for row in history]
            if values and values[0] is not None:
                label = "training" if column.startswith("train") else "validation"
                axes.plot(epochs, values, marker=".", label=None if column == "lr" else label)
        axes.set_title(title)
        axes.set_xlabel("epoch")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(alpha=0.3)
        if len(columns) > 1:
            axes.legend()
        else:
            axes.set_ylim(bottom=0)  # else a constant rate is drawn with its rounding
    return figure
