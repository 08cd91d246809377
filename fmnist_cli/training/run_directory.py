"""A run directory: the options of a training run, its history, and the state to resume from."""

import csv
import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Final, Literal

from fmnist_cli.errors import Locked, MissingInput
from fmnist_cli.files import atomic_write, make_folder
from fmnist_cli.training.options import TrainConfig
from fmnist_cli.training.results import EpochResult

RUNS_FOLDER: Final = Path("runs")
STATE_FILE: Final = "last.pt"
OPTIONS_FILE: Final = "run.toml"
HISTORY_FILE: Final = "history.csv"
CURVES_FILE: Final = "curves.png"
_LOCK_FILE: Final = ".lock"
_MAX_LEVELS: Final = 3
"""How far below a directory its runs are found: `--run-dir runs/off --seeds 0-4` takes two."""

RunState = Literal["finished", "running", "stopped"]

HISTORY_COLUMNS: Final = tuple(
    field.name for field in fields(EpochResult) if field.name not in {"epochs", "is_best"}
)


@dataclass(frozen=True, slots=True)
class RunDirectory:
    """One run's files."""

    path: Path

    @classmethod
    def new(cls, path: Path | None, model: str) -> "RunDirectory":
        """Create a directory; without a path, a new `runs/<date>-<time>-<model>`."""
        if path is not None:
            make_folder(path)
            return cls(path)
        make_folder(RUNS_FOLDER)
        name = f"{time.strftime('%Y%m%d-%H%M%S')}-{model.rpartition(':')[2]}"
        path, number = RUNS_FOLDER / name, 1
        while True:
            try:
                path.mkdir()
                return cls(path)
            except FileExistsError:  # of another run that began in this second
                number += 1
                path = RUNS_FOLDER / f"{name}-{number}"

    @classmethod
    def find(cls, name: str) -> "RunDirectory":
        """The directory of an earlier run, or of its `last.pt`; `last` is the newest below `runs`.

        Raises MissingInput if there is no run to resume.
        """
        if name == "last":
            files = (path / STATE_FILE for path in run_directories(RUNS_FOLDER))
            states = [file for file in files if file.is_file()]
            newest = max(states, key=lambda file: file.stat().st_mtime, default=None)
            if newest is None:
                raise MissingInput(
                    f"no run to resume below '{RUNS_FOLDER}'; name its directory: --resume RUN_DIR"
                )
            return cls(newest.parent)
        path = Path(name)
        if path.name == STATE_FILE:  # the run's file rather than its directory
            path = path.parent
        if not (path / STATE_FILE).is_file():
            raise MissingInput(
                f"no run to resume at '{name}': it holds no {STATE_FILE}\n"
                "expected a run directory, or last for the newest one: --resume last"
            )
        return cls(path)

    @property
    def state_file(self) -> Path:
        """The full training state."""
        return self.path / STATE_FILE

    def locked(self) -> AbstractContextManager[object]:
        """Lock the directory for one run. Raises Locked if another run has locked it."""
        from filelock import FileLock, Timeout

        lock = FileLock(self.path / _LOCK_FILE)
        try:
            held = lock.acquire(timeout=0)
        except Timeout:
            raise Locked(
                f"another run is using '{self.path}'; wait for it or choose --run-dir"
            ) from None
        # The curves are drawn last and mark a finished run, which a resumed one no longer is.
        (self.path / CURVES_FILE).unlink(missing_ok=True)
        return held

    def state(self) -> RunState:
        """Whether the run is finished, in progress, or stopped before its end."""
        from filelock import FileLock, Timeout

        if (self.path / CURVES_FILE).exists():
            return "finished"
        lock_file = self.path / _LOCK_FILE
        try:
            if lock_file.exists():
                FileLock(lock_file).acquire(timeout=0).lock.release()
        except Timeout:
            return "running"
        except OSError:  # another user's directory
            pass
        return "stopped"

    def describe(self, config: TrainConfig, history: Sequence[Mapping[str, Any]]) -> None:
        """Write the resolved options, in the form that `--config` reads, and the history."""
        with atomic_write(self.path / OPTIONS_FILE) as temporary:
            temporary.write_text(
                "# The options of this run; to repeat it: fmnist train --config run.toml\n"
                + as_toml(as_options(config)),
                encoding="utf-8",
            )
        self.write_history(history)

    def write_history(self, history: Sequence[Mapping[str, Any]]) -> None:
        """Write one row per epoch."""
        with (
            atomic_write(self.path / HISTORY_FILE) as temporary,
            temporary.open("w", encoding="utf-8", newline="") as file,
        ):
            writer = csv.DictWriter(file, HISTORY_COLUMNS, lineterminator="\n")
            writer.writeheader()
            writer.writerows(history)

    def draw_curves(self, history: Sequence[Mapping[str, Any]]) -> None:
        """Plot loss, accuracy and learning rate over the epochs."""
        from fmnist_cli.training.curves import PANELS, plot_curves

        with atomic_write(self.path / CURVES_FILE) as temporary:
            plot_curves(history, *PANELS).savefig(temporary, format="png", dpi=110)


def run_directories(folder: Path) -> Iterator[Path]:
    """The directory itself and those up to three levels below it, as far as they hold a run."""
    for root, folders, files in os.walk(folder, followlinks=True):
        path = Path(root)
        folders.sort()
        if len(path.relative_to(folder).parts) == _MAX_LEVELS:
            folders.clear()
        # Not by the state: other programs have a last.pt, too.
        if OPTIONS_FILE in files or HISTORY_FILE in files:
            yield path


def as_options(config: TrainConfig) -> dict[str, Any]:
    """The options of a single run that are set, by their long names on the command line."""
    values = {
        name.replace("_", "-"): value
        for name, value in asdict(config).items()
        if value is not None and name != "seeds"
    }
    if "time-budget" in values:
        values["time-budget"] = f"{values['time-budget']:g}s"
    return values


def as_toml(values: Mapping[str, str | float]) -> str:
    """One flat table, a line per value; names are bare TOML keys, numbers are finite.

    Not by tomli-w, which is missing on machines that have torch but where nothing can be installed
    (`benchmarks.gpu`).
    """
    # JSON's booleans and numbers are valid TOML, as are its strings except for one character.
    lines = (
        f"{name} = {json.dumps(value, ensure_ascii=False, allow_nan=False)}\n"
        for name, value in values.items()
    )
    return "".join(lines).replace("\x7f", "\\u007f")
