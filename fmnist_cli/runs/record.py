"""What a run directory records: options, learning curves, state."""

import csv
import math
import tomllib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from fmnist_cli.checkpoints.archive import read_metadata
from fmnist_cli.errors import DataError, MissingInput, UsageError, did_you_mean
from fmnist_cli.training.options import OPTIONS, TrainConfig
from fmnist_cli.training.recipes import usual
from fmnist_cli.training.results import Summary
from fmnist_cli.training.run_directory import (
    HISTORY_COLUMNS,
    HISTORY_FILE,
    OPTIONS_FILE,
    RunDirectory,
    RunState,
    run_directories,
)

_REQUIRED: Final = {"recipe": str, "epochs": int, "seed": int}
_SHOWN_APART: Final = ("recipe", "epochs")
"""Options with a column of their own."""
_BEST_FIRST: Final = ("val_accuracy", "images_per_second")
SORT_KEYS: Final = (
    *("name", "recipe", "epochs", "val_accuracy", "seconds", "images_per_second", "state"),
)
Epoch = Mapping[str, float | None]


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One run, as `run.toml` and `history.csv` describe it."""

    name: str
    path: Path
    options: Mapping[str, Any]
    """By long name; options that are not set are missing."""
    history: Sequence[Epoch]
    """A row per completed epoch, with the columns of `history.csv`; None for empty cells."""
    state: RunState

    @property
    def recipe(self) -> str:
        """The recipe that the run started from."""
        return str(self.options["recipe"])

    @property
    def seed(self) -> int:
        """Seed of the initial weights and of the order of the images."""
        return int(self.options["seed"])

    @property
    def epochs(self) -> int:
        """Completed epochs."""
        return len(self.history)

    @property
    def best(self) -> Epoch | None:
        """The epoch whose weights became the model; None before the first has ended."""
        if not self.history:
            return None
        by_loss = self.options.get("monitor") == "loss"
        column, sign = ("val_loss", -1) if by_loss else ("val_accuracy", 1)
        measured = [row for row in self.history if row[column] is not None]
        return max(measured, key=lambda row: sign * (row[column] or 0), default=self.history[-1])

    @property
    def val_accuracy(self) -> float | None:
        """Validation accuracy of the best epoch; None without a validation split."""
        return self.best["val_accuracy"] if self.best is not None else None

    @property
    def seconds(self) -> float:
        """Training and validation, over all completed epochs."""
        return sum(row["seconds"] or 0 for row in self.history)

    @property
    def images_per_second(self) -> float | None:
        """Mean training speed of the epochs."""
        rates = [row["images_per_second"] or 0 for row in self.history]
        return sum(rates) / len(rates) if rates else None


def find_runs(folders: Sequence[Path]) -> tuple[list[RunRecord], list[DataError]]:
    """Read the runs in some directories and up to three levels below them; skip damaged ones.

    Returns the runs and an error for each damaged one. Raises MissingInput if one of the
    directories does not exist.
    """
    runs, errors = [], []
    for folder in folders:
        if not folder.is_dir():
            raise MissingInput(f"no directory of runs at '{folder}'; train one first: fmnist train")
        for path in run_directories(folder):
            below = path.relative_to(folder)
            name = str(below if below.parts else path.name or path)
            try:
                runs.append(read_run(path, name if len(folders) == 1 else str(path)))
            except DataError as error:
                errors.append(error)
    return runs, errors


def read_run(path: Path, name: str) -> RunRecord:
    """Read a run directory. Raises DataError if it is damaged or not completely written."""
    file = path / OPTIONS_FILE
    try:
        options = _read_options(file)
        file = path / HISTORY_FILE
        history = read_history(file)
        if history is None:
            raise ValueError("columns are missing")
    except OSError as error:
        raise DataError(f"skipped '{path}': {file.name}: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        reason = " ".join(str(error).split())[:200]
        raise DataError(f"skipped '{path}': {file.name} is damaged: {reason}") from None
    return RunRecord(name, path, options, history, RunDirectory(path).state())


def read_summary(model: Path, config: TrainConfig | None = None) -> Summary | None:
    """The result of a finished run, by its model file; None if its options differ from `config`.

    Raises an error of this package if the file or the run directory is missing or damaged.
    """
    metadata = read_metadata(model)
    found, metrics = metadata.config or {}, metadata.metrics
    decisive = [each for each in OPTIONS.values() if each.name == "epochs" or not each.resumable]
    is_same = config is None or all(
        found.get(each.name) == getattr(config, each.name) for each in decisive
    )
    if metadata.run_dir is None or metrics is None or not is_same:
        return None
    record = read_run(Path(metadata.run_dir), metadata.run_dir)
    return Summary(
        model=str(model),
        run_dir=metadata.run_dir,
        recipe=record.recipe,
        epochs=record.epochs,
        seconds=metrics.seconds,
        images_per_second=record.images_per_second or 0.0,
        val_accuracy=metrics.val_accuracy,
        best_epoch=metrics.epoch,
        seed=record.seed,
        device=str(found.get("device")),
        data=str(found.get("data")),
    )


def _read_options(file: Path) -> dict[str, Any]:
    options: dict[str, Any] = {}
    for line in file.read_text(encoding="utf-8").splitlines():
        options |= _parse_line(line)
    for key, kind in _REQUIRED.items():
        if type(options.get(key)) is not kind:
            raise ValueError(f"no valid '{key}'")
    return options


@lru_cache(maxsize=10_000)
def _parse_line(line: str) -> dict[str, Any]:
    """Parse a line of `run.toml`: an option per line, mostly the same from run to run."""
    return tomllib.loads(line)


def read_history(file: Path) -> list[Epoch] | None:
    """The rows of a `history.csv`; None if it lacks a column, as another program's file does.

    Raises OSError if it can't be read, ValueError if it is damaged.
    """
    try:
        with file.open(encoding="utf-8", newline="") as lines:
            reader = csv.reader(lines, strict=True)
            header = next(reader, [])
            if not {*HISTORY_COLUMNS} <= {*header}:
                return None
            rows = [dict(zip(header, cells, strict=True)) for cells in reader]
    except csv.Error as error:
        raise ValueError(error) from None
    history: list[Epoch] = [
        {column: float(row[column]) if row[column] else None for column in HISTORY_COLUMNS}
        for row in rows
    ]
    values = [value for row in history for value in row.values() if value is not None]
    in_order = [row["epoch"] for row in history] == [*range(1, len(history) + 1)]
    if not (in_order and all(map(math.isfinite, values))):
        raise ValueError("epochs or figures are missing")
    return history


def differing_options(runs: Sequence[RunRecord], *, without: Sequence[str] = ()) -> list[str]:
    """Names of the options whose values differ, in the order of the files."""
    names = dict.fromkeys(name for run in runs for name in run.options)
    return [
        name
        for name in names
        if name not in (*_SHOWN_APART, *without)
        and len({repr(run.options.get(name)) for run in runs}) > 1
    ]


def beyond_recipes(runs: Sequence[RunRecord], options: Sequence[str]) -> list[str]:
    """Those of the options that some run does not have from its recipe."""
    return [name for name in options if not all(is_recipes(run, name) for run in runs)]


def is_recipes(run: RunRecord, name: str) -> bool:
    """Whether a run has an option from its recipe."""
    field = name.replace("-", "_")
    if field not in OPTIONS:  # written by another version
        return False
    value = run.options.get(name)
    expected = usual(run.recipe, str(run.options.get("device")), field)
    return bool(value == expected) or (value is None and expected is False)


def as_text(value: Any) -> str:
    """An option's value as the command line takes it; empty if it is not set."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:g}" if isinstance(value, float) else str(value)


def select(runs: Sequence[RunRecord], conditions: Sequence[str]) -> list[RunRecord]:
    """The runs that meet all conditions, each `OPTION=VALUE` or `state=VALUE`.

    An empty value selects runs that leave the option unset. Raises UsageError for any other
    condition, or an option that no run has.
    """
    for condition in conditions:
        key, equals, value = condition.partition("=")
        if not equals:
            raise UsageError(f"--where is '{condition}'; expected OPTION=VALUE, as in recipe=fast")
        name = key.strip().removeprefix("--").replace("_", "-")
        known = {"state", *(option for run in runs for option in run.options)}
        if runs and name not in known:
            raise UsageError(f"--where: no run has an option '{key}'{did_you_mean(name, known)}")
        runs = [
            run
            for run in runs
            if _equals(run.state if name == "state" else run.options.get(name), value.strip())
        ]
    return list(runs)


def _equals(value: Any, wanted: str) -> bool:
    if isinstance(value, int | float) and not isinstance(value, bool):
        with suppress(ValueError):
            return bool(float(wanted) == value)
    return as_text(value) == wanted


def sort(runs: Sequence[RunRecord], key: str) -> list[RunRecord]:
    """Runs in order of a column or an option: accuracy and speed best first, all else ascending.

    Runs without a value come last. Raises UsageError for a key that no run has.
    """
    column = key.replace("-", "_")
    option = key.removeprefix("--").replace("_", "-")
    known = [*SORT_KEYS, *dict.fromkeys(name for run in runs for name in run.options)]
    if column not in SORT_KEYS and option not in known:
        hint = did_you_mean(key, known) or f"; expected {', '.join(SORT_KEYS)} or an option"
        raise UsageError(f"--sort: no run has '{key}'{hint}")

    def order(run: RunRecord) -> tuple[bool, float, str]:
        found = getattr(run, column) if column in SORT_KEYS else run.options.get(option)
        if not isinstance(found, int | float):
            return found is None, 0.0, str(found)
        return False, -found if column in _BEST_FIRST else found, ""

    return sorted(runs, key=order)
