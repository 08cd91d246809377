from dataclasses import replace
from pathlib import Path

import pytest

from fmnist_cli.checkpoints.metadata import Metrics
from fmnist_cli.errors import DataError
from fmnist_cli.evaluation.history import find_history
from fmnist_cli.training.run_directory import HISTORY_COLUMNS, RunDirectory
from tests.written_models import metadata

ROWS = [
    dict.fromkeys(HISTORY_COLUMNS, 0.5) | {"epoch": 1, "val_loss": 0.9, "val_accuracy": 0.7},
    dict.fromkeys(HISTORY_COLUMNS, 0.4) | {"epoch": 2, "val_loss": 0.8, "val_accuracy": 0.8},
]
METADATA = replace(metadata(), metrics=Metrics(0.8, 0.8, 2, 2, 1.0))


def test_found_beside_the_model_and_where_the_file_says(tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    RunDirectory(run).write_history(ROWS)
    assert find_history(run / "last.pt", METADATA) == ROWS
    elsewhere = tmp_path / "model.pt"
    assert find_history(elsewhere, METADATA) == []
    assert find_history(elsewhere, replace(METADATA, run_dir=str(run))) == ROWS


def test_epochs_without_validation_are_found_too(tmp_path: Path) -> None:
    rows = [row | {"val_loss": None, "val_accuracy": None} for row in ROWS]
    RunDirectory(tmp_path).write_history(rows)
    metrics = Metrics(None, None, 2, 2, 1.0)
    assert find_history(tmp_path / "m.pt", replace(METADATA, metrics=metrics)) == rows


@pytest.mark.parametrize("metrics", [None, Metrics(0.7, 0.8, 2, 2, 1.0)])
def test_another_runs_history_is_not_taken(tmp_path: Path, metrics: Metrics | None) -> None:
    RunDirectory(tmp_path).write_history(ROWS)
    assert find_history(tmp_path / "model.pt", replace(METADATA, metrics=metrics)) == []


def test_another_programs_file_is_not_taken(tmp_path: Path) -> None:
    (tmp_path / "history.csv").write_text("date,price\n1,2\n")
    assert find_history(tmp_path / "model.pt", METADATA) == []


def test_a_damaged_history_is_an_error(tmp_path: Path) -> None:
    RunDirectory(tmp_path).write_history(ROWS)
    path = tmp_path / "history.csv"
    path.write_text(path.read_text().replace("0.9", "zero"))
    with pytest.raises(DataError, match="no history of a run"):
        find_history(tmp_path / "model.pt", METADATA)


@pytest.mark.parametrize("run_dir", ["gone", "a\0b", "a" * 5_000, "", None])
def test_a_folder_that_can_not_be_opened_is_none(tmp_path: Path, run_dir: str | None) -> None:
    assert find_history(tmp_path / "model.pt", replace(METADATA, run_dir=run_dir)) == []
