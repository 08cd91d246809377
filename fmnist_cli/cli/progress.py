"""Progress on stderr: a live bar on a terminal, plain lines elsewhere."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from fmnist_cli.cli import console

if TYPE_CHECKING:
    from fmnist_cli.data.download import Track
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
        """Print the line of a finished epoch, in at most 80 columns."""
        self._clear()
        parts = [f"epoch {result.epoch}/{result.epochs}", f"loss {result.train_loss:.4f}"]
        if result.val_loss is None or result.val_accuracy is None:
            parts.append(f"accuracy {result.train_accuracy:.2%}")
        else:
            best = " *" if result.is_best else ""
            parts.append(f"val loss {result.val_loss:.4f}")
            parts.append(f"val accuracy {result.val_accuracy:.2%}{best}")
        console.note("  ".join([*parts, f"{result.seconds:.1f} s"]))

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


@contextmanager
def epoch_progress() -> Iterator[EpochProgress]:
    """Show the progress of a training run."""
    if not console.is_live():
        yield EpochProgress()
        return
    from rich import progress

    columns = (
        progress.TextColumn("{task.description}", markup=False),
        progress.BarColumn(bar_width=None),
        progress.TextColumn("{task.fields[figures]}", markup=False),
        progress.TimeRemainingColumn(compact=True),
    )
    with progress.Progress(*columns, console=console.err(), transient=True, expand=True) as bar:
        yield EpochProgress(bar)


@contextmanager
def download_progress() -> Iterator["Track"]:
    """Draw a bar per file on a terminal; elsewhere print one line per file."""
    if not console.is_live():
        announced = set()

        def announce(file_name: str, _done_bytes: int, total_bytes: int) -> None:
            if file_name not in announced:
                announced.add(file_name)
                console.note(f"fetching {file_name} ({total_bytes / 1e3:,.0f} kB)")

        yield announce
        return
    from rich import progress

    columns = (
        progress.TextColumn("{task.description}", markup=False),
        progress.BarColumn(),
        progress.DownloadColumn(),
        progress.TransferSpeedColumn(),
        progress.TimeRemainingColumn(compact=True),
    )
    with progress.Progress(*columns, console=console.err()) as bar:
        tasks = {}

        def draw(file_name: str, done_bytes: int, total_bytes: int) -> None:
            if file_name not in tasks:
                tasks[file_name] = bar.add_task(file_name, total=total_bytes)
            bar.update(tasks[file_name], completed=done_bytes)

        yield draw
