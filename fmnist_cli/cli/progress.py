"""Progress on stderr: a live bar on a terminal, plain lines elsewhere."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from fmnist_cli.cli import console

if TYPE_CHECKING:
    from fmnist_cli.training.results import EpochResult, Progress


class EpochProgress:
    """A bar per epoch with loss, accuracy, images/s and time left, then one line of results."""

    def __init__(self, bar: Any = None) -> None:
        self._bar = bar
        self._shown = ""
        """Name of the task in the bar."""

    def step(self, progress: "Progress") -> None:
        """Update the bar of the current epoch."""
        figures = (
            f"loss {progress.loss:.4f}  accuracy {progress.accuracy:.2%}  "
            f"{progress.images_per_second:,.0f} img/s"
        )
        name = f"epoch {progress.epoch}/{progress.epochs}"
        self._draw(name, progress.step, progress.steps, figures)

    def pictures(self, read: int, total: int) -> None:
        """Update the bar of the pictures that are prepared before the first epoch."""
        self._draw("preparing pictures", read, total, f"{read:,} of {total:,}")

    def epoch(self, result: "EpochResult") -> None:
        """Print the line of a finished epoch."""
        self._clear()
        console.note(epoch_line(result))

    def _draw(self, name: str, completed: int, total: int, figures: str) -> None:
        if self._bar is None:
            return
        if name != self._shown:
            self._clear()
            self._bar.add_task(name, total=total, figures="")
            self._shown = name
        self._bar.update(self._bar.task_ids[0], completed=completed, figures=figures)

    def _clear(self) -> None:
        if self._shown:
            self._bar.remove_task(self._bar.task_ids[0])
            self._shown = ""


def epoch_line(result: "EpochResult") -> str:
    """An epoch's results in one plain line of at most 80 columns."""
    parts = [f"epoch {result.epoch}/{result.epochs}", f"loss {result.train_loss:.4f}"]
    if result.val_loss is None or result.val_accuracy is None:
        parts.append(f"accuracy {result.train_accuracy:.2%}")
    else:
        best = " *" if result.is_best else ""
        parts += [
            f"val loss {result.val_loss:.4f}",
            f"val accuracy {result.val_accuracy:.2%}{best}",
        ]
    return "  ".join([*parts, f"{result.seconds:.1f} s"])


@contextmanager
def epoch_progress() -> Iterator[EpochProgress]:
    """Show the progress of a training run."""
    if not console.is_live():
        yield EpochProgress()
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=None),
        TextColumn("{task.fields[figures]}", markup=False),
        TimeRemainingColumn(compact=True),
    )
    with Progress(*columns, console=console.err(), transient=True, expand=True) as bar:
        yield EpochProgress(bar)
