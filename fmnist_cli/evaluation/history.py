"""The history of the run that made a model, where its run folder is still there."""

import csv
from pathlib import Path
from typing import Any

from fmnist_cli.errors import DataError
from fmnist_cli.training.run_directory import HISTORY_COLUMNS, HISTORY_FILE


def find_history(model: Path, metadata: dict[str, Any]) -> list[dict[str, float | None]]:
    """A row an epoch, by the columns of `history.csv`; empty where no run folder is found.

    It is looked for beside the model file and where the file says that the run was. Raises
    DataError where the folder's history can't be read.
    """
    recorded = metadata.get("run_dir")
    folders = [model.parent, *([Path(recorded)] if isinstance(recorded, str) else [])]
    for folder in folders:
        history = _read(folder / HISTORY_FILE)
        if _is_of(history, metadata):
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


def _is_of(history: list[dict[str, float | None]], metadata: dict[str, Any]) -> bool:
    """Whether the epoch that the model was kept from stands in the history as the file has it."""
    metrics = metadata.get("metrics")
    if not isinstance(metrics, dict):
        return False
    return any(
        all(row.get(name) == metrics.get(name) for name in ("epoch", "val_loss", "val_accuracy"))
        for row in history
    )
