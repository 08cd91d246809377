"""The history of the run that made a model, where its run folder is still there."""

import csv
from pathlib import Path

from fmnist_cli.checkpoints.metadata import Metrics, ModelMetadata
from fmnist_cli.errors import DataError
from fmnist_cli.training.run_directory import HISTORY_COLUMNS, HISTORY_FILE


def find_history(model: Path, metadata: ModelMetadata | None) -> list[dict[str, float | None]]:
    """A row an epoch, by the columns of `history.csv`; empty where no run folder is found.

    It is looked for beside the model file and where the file says that the run was. Raises
    DataError where the folder's history can't be read.
    """
    if metadata is None or metadata.metrics is None:
        return []
    for folder in (model.parent, *([Path(metadata.run_dir)] if metadata.run_dir else [])):
        history = _read(folder / HISTORY_FILE)
        if _is_of(history, metadata.metrics):
            return history
    return []


def _read(path: Path) -> list[dict[str, float | None]]:
    """The rows of a file; none where it can't be opened, as where a run folder is gone."""
    try:
        content = path.read_bytes()
    except (OSError, ValueError):  # ValueError: the recorded name is no name of a file
        return []
    try:
        rows = csv.DictReader(content.decode("utf-8").splitlines())
        if tuple(rows.fieldnames or ()) != HISTORY_COLUMNS:
            return []  # another program's file of that name
        return [
            {name: float(value) if value else None for name, value in row.items()} for row in rows
        ]
    except (ValueError, TypeError, csv.Error) as error:
        raise DataError(f"'{path}' is no history of a run: {error}") from None


def _is_of(history: list[dict[str, float | None]], metrics: Metrics) -> bool:
    """Whether the history holds the epoch whose weights the model file holds."""
    recorded = (metrics.epoch, metrics.val_loss, metrics.val_accuracy)
    return any((row["epoch"], row["val_loss"], row["val_accuracy"]) == recorded for row in history)
