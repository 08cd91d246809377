"""What a run writes, and reads again when it is resumed: its state; at its end also its model."""

import platform
import shlex
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

from fmnist_cli import models
from fmnist_cli.checkpoints import checkpoint
from fmnist_cli.checkpoints.archive import read_metadata
from fmnist_cli.checkpoints.metadata import Metrics, ModelMetadata, NetworkRecord
from fmnist_cli.constants import VERSION
from fmnist_cli.data.layouts import ARRAYS
from fmnist_cli.errors import CheckpointError, UsageError
from fmnist_cli.models.cost import count_macs
from fmnist_cli.models.own_code import digest, is_own
from fmnist_cli.training.options import OPTIONS, TrainConfig, check
from fmnist_cli.training.results import EpochResult, Summary
from fmnist_cli.training.run_data import RunData
from fmnist_cli.training.run_directory import HISTORY_COLUMNS, RunDirectory
from fmnist_cli.training.trainer import Trainer


@dataclass(frozen=True, slots=True)
class Earlier:
    """A run up to its last save."""

    folder: RunDirectory
    config: TrainConfig
    """With the options that the resumed run changes."""
    output: Path
    fingerprint: str
    """Of the data."""
    history: list[dict[str, Any]]
    seconds: float
    trainer: dict[str, Any]
    """For `Trainer.load_state_dict`."""


def read_earlier(name: str, given: Mapping[str, Any]) -> Earlier:
    """Read the state of the run in a directory (`last`: the newest) and change the `given` options.

    Raises MissingInput or CheckpointError if there is no state to continue from, UsageError for an
    option that can't change halfway through a run, fewer epochs than are done, or a run on arrays
    of a Python program.
    """
    check(given)
    folder = RunDirectory.find(name)
    data = read_metadata(folder.state_file).data
    if data is not None and data.kind == ARRAYS:
        raise UsageError(
            f"'{folder.path}' can't be resumed: it trains on arrays of a Python program\n"
            "to start from its weights on named data: "
            f"fmnist train --weights {shlex.quote(str(folder.state_file))} --data PATH"
        )
    own_network = given["model"] if is_own(given.get("model", "")) else None
    loaded: Any = checkpoint.load_training(folder.state_file, own_network)
    for option in map(OPTIONS.__getitem__, given):
        if not option.resumable and not (option.name == "model" and own_network):
            changeable = sorted(each.flag for each in OPTIONS.values() if each.resumable)
            raise UsageError(
                f"{option.flag} can't change when a run is resumed; "
                f"these can: {', '.join(changeable)}"
            )
    with state_errors(folder):
        state, options = loaded.training, loaded.metadata.config
        check(options)
        history = _read_history(state["history"], state["trainer"]["epoch"])
        output, seconds = Path(state["output"]), float(state["seconds"])
        fingerprint = loaded.metadata.data.fingerprint
    done = len(history)
    if given.get("epochs", done) < done:
        raise UsageError(
            f"--epochs is {given['epochs']}, but '{folder.path}' has done {done} epochs\n"
            f"expected {done} or more; for a shorter run, train anew without --resume"
        )
    config = TrainConfig(**{**options, **given})
    return Earlier(folder, config, output, fingerprint, history, seconds, state["trainer"])


@contextmanager
def state_errors(folder: RunDirectory) -> Iterator[None]:
    """Raise CheckpointError for any error caused by the content of a run's state file.

    If the state has another form, torch's optimizers and networks raise errors of all kinds.
    """
    try:
        yield
    except torch.OutOfMemoryError:  # a RuntimeError, but of the device
        raise
    except (
        *(AttributeError, IndexError, KeyError, RuntimeError, TypeError, ValueError),
        UsageError,  # an option with a value that no run can have
    ) as error:
        raise CheckpointError(
            f"'{folder.state_file}' holds an unknown training state; "
            "expected one that fmnist train wrote\n"
            "to use its weights alone: fmnist train --weights"
        ) from error


def _read_history(history: Sequence[Mapping[str, Any]], epochs: int) -> list[dict[str, Any]]:
    """The rows in a state file; raises an error unless there is a row of numbers per epoch."""
    rows = [{name: row[name] for name in HISTORY_COLUMNS} for row in history]
    numbers = (value for row in rows for value in row.values() if value is not None)
    if len(rows) != epochs or not all(isinstance(number, int | float) for number in numbers):
        raise ValueError
    return rows


class RunFiles:
    """Writes the files of a run whose directory is locked."""

    def __init__(
        self,
        folder: RunDirectory,
        output: Path,
        network: str,
        trainer: Trainer,
        data: RunData,
        ready_at: float,
        earlier: Earlier | None,
    ) -> None:
        """ready_at: time.perf_counter() with the data in memory. earlier: of a resumed run."""
        self.folder, self.output, self.trainer, self.data = folder, output, trainer, data
        self.history: list[dict[str, Any]] = [] if earlier is None else earlier.history
        """A row per completed epoch, with the columns of `history.csv`."""
        self.seconds: float = 0.0 if earlier is None else earlier.seconds
        """Seconds of training until the last save, interruptions not counted."""
        self._began_at = ready_at - self.seconds
        model, config = trainer.train_step.model, trainer.config
        self.metadata = ModelMetadata(
            network=NetworkRecord(
                network,
                config.network_options(),
                models.count_parameters(model),
                count_macs(model),
                digest(network) if is_own(network) else None,
            ),
            normalization=trainer.normalization,
            classes=data.train.classes,
            recipe=config.recipe,
            config={**asdict(config), "model": network},
            data=data.record,
            versions={
                "fmnist": VERSION,
                "torch": str(torch.__version__),
                "python": platform.python_version(),
            },
            created_at=datetime.now(UTC).isoformat(timespec="seconds"),
            run_dir=str(folder.path),
        )
        """Of the model, but for its scores."""

    def add(self, result: EpochResult) -> None:
        """Save the state after an epoch."""
        self.history.append({name: getattr(result, name) for name in HISTORY_COLUMNS})
        self.save()

    def save(self) -> None:
        """Write the state, and then the run's other files."""
        self.seconds = time.perf_counter() - self._began_at
        training = {
            "trainer": self.trainer.state_dict(),
            "history": self.history,
            "seconds": self.seconds,
            "output": str(self.output),
        }
        weights = self.trainer.train_step.trained.state_dict()
        metadata = self._scored(len(self.history))
        checkpoint.save(
            self.folder.state_file, weights, metadata, training=training, digests=self.data.digests
        )
        self.folder.describe(self.trainer.config, self.history)

    def finish(self) -> Summary:
        """Write the model and the curves, which mark a finished run."""
        best, config = self.trainer.best, self.trainer.config
        assert best is not None
        metadata = replace(self._scored(best.epoch), temperature=self.trainer.fit_temperature())
        checkpoint.save(self.output, best.state_dict, metadata, digests=self.data.digests)
        self.folder.draw_curves(self.history)
        rates = [row["images_per_second"] for row in self.history]
        return Summary(
            model=str(self.output),
            run_dir=str(self.folder.path),
            recipe=config.recipe,
            epochs=len(self.history),
            seconds=self.seconds,
            images_per_second=sum(rates) / len(rates),
            val_accuracy=self.history[best.epoch - 1]["val_accuracy"],
            best_epoch=best.epoch,
            seed=config.seed,
            device=config.device,
            data=config.data,
        )

    def _scored(self, epoch: int) -> ModelMetadata:
        """Metadata of the weights as they were after `epoch` epochs."""
        row = self.history[epoch - 1] if epoch else {}
        accuracy, loss = row.get("val_accuracy"), row.get("val_loss")
        metrics = Metrics(accuracy, loss, epoch, self.trainer.epochs, self.seconds)
        return replace(self.metadata, metrics=metrics)
