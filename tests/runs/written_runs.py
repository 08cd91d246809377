"""Run directories as training leaves them, without the training."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fmnist_cli.training.run_directory import (
    CURVES_FILE,
    HISTORY_COLUMNS,
    HISTORY_FILE,
    OPTIONS_FILE,
    as_toml,
)

OPTIONS = {
    "recipe": "fast",
    "model": "convnet-small",
    "data": "fashion-mnist",
    "epochs": 3,
    "batch-size": 256,
    "lr": 0.4,
    "monitor": "accuracy",
    "augment": "none",
    "seed": 0,
}


def write_run(
    path: Path,
    accuracies: Sequence[float | None] = (0.7, 0.9, 0.8),
    losses: Sequence[float | None] = (0.5, 0.5, 0.5),
    *,
    is_finished: bool = True,
    **changed: Any,
) -> Path:
    """A run with an epoch per validation accuracy; `changed` options replace the usual ones."""
    path.mkdir(parents=True)
    options = {**OPTIONS, **{name.replace("_", "-"): value for name, value in changed.items()}}
    (path / OPTIONS_FILE).write_text(as_toml(options), encoding="utf-8")
    with (path / HISTORY_FILE).open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, HISTORY_COLUMNS)
        writer.writeheader()
        for epoch, (accuracy, loss) in enumerate(zip(accuracies, losses, strict=False), 1):
            row = dict.fromkeys(HISTORY_COLUMNS, 0.5) | {"epoch": epoch, "val_loss": loss}
            speed = {"seconds": 2.0, "images_per_second": 1000.0}
            writer.writerow({**row, **speed, "val_accuracy": accuracy})
    if is_finished:
        (path / CURVES_FILE).touch()
    return path
