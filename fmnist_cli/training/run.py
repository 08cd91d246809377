"""A training run from data to files: a trainer, a run directory and a model file.

for result in Run(TrainConfig(epochs=5)).epochs():
    print(result.epoch, result.val_accuracy)
"""

import platform
import shlex
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import torch
from torch import nn

from fmnist_cli import models
from fmnist_cli.checkpoints import checkpoint
from fmnist_cli.checkpoints.archive import read_metadata
from fmnist_cli.checkpoints.metadata import Metrics, ModelMetadata, NetworkRecord
from fmnist_cli.constants import VERSION
from fmnist_cli.data.class_names import split_classes
from fmnist_cli.data.images import LabeledImages
from fmnist_cli.data.normalization import Normalization
from fmnist_cli.data.sources import ARRAYS, Source, open_source
from fmnist_cli.errors import OutputError, UsageError
from fmnist_cli.files import check_writable, is_unicode
from fmnist_cli.inference import torch_devices
from fmnist_cli.inference.torch_devices import device_errors
from fmnist_cli.models import own
from fmnist_cli.models.cost import count_macs
from fmnist_cli.models.own_code import digest, is_own, own_code_errors
from fmnist_cli.training import find_lr
from fmnist_cli.training.events import log_epochs
from fmnist_cli.training.optimizer import Budget
from fmnist_cli.training.options import OPTIONS, TrainConfig, check
from fmnist_cli.training.processes import Process, joined
from fmnist_cli.training.results import EpochResult, Stopped, Summary
from fmnist_cli.training.run_data import RunData, has_seen_validation, read_run_data
from fmnist_cli.training.run_directory import (
    HISTORY_COLUMNS,
    RunDirectory,
    read_history,
    state_errors,
)
from fmnist_cli.training.trainer import Track, Trainer

_FINISH_SECONDS: Final = 2.0
_FINISH_SHARE: Final = 1.25
"""What a time budget keeps free for files and exit: on a busy machine, a share of what the start
took, since that was slow for the same reason."""


@dataclass(frozen=True, slots=True)
class _Prepared:
    """What `Run.epochs` has ready once the data is in memory."""

    trainer: Trainer
    metadata: ModelMetadata
    """Of the model file, without run directory and scores."""
    digests: bytes
    """Of the training images; empty for named data."""


class Run:
    """One run: `epochs` trains and saves after each epoch.

    `summary` holds the outcome once `epochs` has ended; it stays None if `should_stop` ends it.
    """

    def __init__(
        self,
        config: TrainConfig,
        *,
        output: str | Path = "model.pt",
        run_dir: str | Path | None = None,
        data_dir: Path | None = None,
        mirrors: Sequence[str] = (),
        started_at: float | None = None,
        data: LabeledImages | None = None,
        model: nn.Module | None = None,
    ) -> None:
        """Check the options; data is read by `epochs`.

        started_at: time.monotonic() from which a time budget counts; None: now.
        data: train on these images in place of `config.data`.
        model: train this network in place of `config.model`; it maps float images [N, 1, 28, 28],
        normalized as the config says (default: 0 to 1), to logits [N, K].
        """
        if data is not None:
            config = replace(config, data=ARRAYS, test_data=None)
        self._data, self._model = data, model
        self.network = config.model
        """Name of the network, for the model file."""
        if model is not None:
            self.network = f"{type(model).__module__}:{type(model).__qualname__}"
        self.output = Path(output)
        self.run_dir = None if run_dir is None else Path(run_dir)
        """Chosen by the caller; None: a new one below `runs`."""
        for path in (self.output, self.run_dir):
            if not is_unicode(str(path)):
                raise OutputError(
                    f"the name of '{path}' is not UTF-8, so the run's files can't record it; "
                    "choose another path"
                )
        self.process = Process.from_environment()
        if config.batch_size % self.process.count:
            raise UsageError(
                f"--batch-size {config.batch_size} can't be split evenly over "
                f"{self.process.count} processes"
            )
        self.device = self.process.device(config.device)
        torch_devices.keep_freed_memory()
        threads = torch_devices.set_threads(config.threads)
        self.config = replace(config, threads=threads, device=str(self.device))
        if config.deterministic:
            torch_devices.make_deterministic()
        self.source = (
            Source(ARRAYS, ARRAYS)
            if data is not None
            else open_source(
                config.data,
                test_data=config.test_data,
                data_dir=data_dir,
                mirrors=mirrors,
                workers=config.workers,
                photo=config.photo,
                classes=split_classes(config.classes),
            )
        )
        self.should_stop: Callable[[], bool] = lambda: False
        """Called between steps; once it returns True, `epochs` saves the state, writes no model and
        raises Stopped."""
        self._started_at = time.monotonic() if started_at is None else started_at
        self._resumed: dict[str, Any] | None = None
        self._seconds, self._ready_at = 0.0, 0.0
        """Seconds of training so far, and time.perf_counter() at their start."""
        self.folder: RunDirectory | None = None
        self.history: list[dict[str, Any]] = []
        self.summary: Summary | None = None
        self.val_is_seen = False
        """Whether the initial weights were trained on validation images; known once loaded."""

    @classmethod
    def resume(
        cls,
        name: str,
        given: dict[str, Any],
        *,
        output: str | Path | None = None,
        data_dir: Path | None = None,
        mirrors: Sequence[str] = (),
        started_at: float | None = None,
    ) -> "Run":
        """Continue an earlier run, with the `given` options changed.

        Raises MissingInput or CheckpointError if there is no state to continue from, UsageError for
        an option that can't change halfway through a run, fewer epochs than are done, or a run on
        arrays of a Python program.
        """
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
        with state_errors(folder.state_file):
            check(loaded.metadata.config)
            state = {**loaded.training, "fingerprint": loaded.metadata.data.fingerprint}
            output = output or state["output"]
            done = int(state["trainer"]["epoch"])
        if given.get("epochs", done) < done:
            raise UsageError(
                f"--epochs is {given['epochs']}, but '{folder.path}' has done {done} epochs\n"
                f"expected {done} or more; for a shorter run, train anew without --resume"
            )
        config = TrainConfig(**{**loaded.metadata.config, **given})
        run = cls(
            config,
            output=output,
            run_dir=folder.path,
            data_dir=data_dir,
            mirrors=mirrors,
            started_at=started_at,
        )
        run._resumed = state
        return run

    def with_seed(self, seed: int, *, output: Path, run_dir: Path | None) -> "Run":
        """The same run with another seed; a time budget begins now."""
        return Run(
            replace(self.config, seed=seed),
            output=output,
            run_dir=run_dir,
            data_dir=self.source.data_dir,
            mirrors=self.source.mirrors,
        )

    def find_lr(self) -> find_lr.Sweep:
        """Sweep over learning rates with this run's data and network; writes nothing."""
        if self.process.count > 1 or self.config.nproc > 1:
            raise UsageError("--find-lr works with one process; leave --nproc out")
        with device_errors(self.device, self.config.batch_size), own_code_errors(self.network):
            return find_lr.sweep(self._prepare().trainer)

    def how_to_go_on(self) -> str:
        """The command that resumes this run, or that there is nothing to resume yet."""
        if self.folder is None or not self.folder.state_file.exists():
            return "nothing was trained yet"
        code = f" --model {shlex.quote(self.config.model)}" if is_own(self.config.model) else ""
        return f"to go on: fmnist train --resume {shlex.quote(str(self.folder.path))}{code}"

    def epochs(self, track: Track | None = None) -> Iterator[EpochResult]:
        """Train; yields each epoch's result after its state is saved.

        The model is written after the last epoch, which also sets `summary`. track: called with the
        progress within an epoch. Raises Stopped, with the state saved, once `should_stop` returns
        True.
        """
        with (
            joined(self.process, self.device),
            device_errors(self.device, self.config.batch_size),
            own_code_errors(self.network),
        ):
            if self.process.is_main:
                check_writable(self.output)
            prepared = self._prepare()
            if not self.process.is_main:
                yield from prepared.trainer.fit()
                return
            name = f"{self.network}-seed{self.config.seed}" if self.config.seeds else self.network
            # Only now, so that a mistake in data or options leaves no empty directory behind.
            self.folder = folder = RunDirectory.new(self.run_dir, name)
            with folder.locked():
                if self._resumed is None:
                    self._save(folder, prepared)
                else:  # the process may have been killed between writing the state and these files
                    folder.describe(self.config, self.history)
                results = self._fit(folder, prepared, track)
                if self.config.tensorboard:
                    results = log_epochs(results, prepared.trainer, self.history, folder.path)
                yield from results
                self._finish(folder, prepared)

    def _prepare(self) -> _Prepared:
        fingerprint = None if self._resumed is None else self._resumed["fingerprint"]
        data = read_run_data(self.source, self.config, self._data, fingerprint)
        self.config = replace(self.config, val_size=len(data.val))
        self._ready_at = time.perf_counter()
        trainer = self.build_trainer(data)
        metadata = self._describe(trainer, data)
        if self._resumed is not None:
            with state_errors(RunDirectory(self.run_dir or Path()).state_file):
                trainer.load_state_dict(self._resumed["trainer"])
                self.history = read_history(self._resumed["history"], trainer.epoch)
                self._seconds = float(self._resumed["seconds"])
                self._ready_at -= self._seconds
        return _Prepared(trainer, metadata, data.digests)

    def build_trainer(self, data: RunData) -> Trainer:
        """Build the trainer of the run; a subclass may change what it returns."""
        config, num_classes = self.config, len(data.train.classes)
        torch.manual_seed(config.seed)
        model = self._model
        if model is None:
            model = models.build(config.model, num_classes, **config.network_options())
        else:
            own.check(model, num_classes, self.network)
        if is_own(self.network):
            own.check_training(model, num_classes, self.network)
        if config.weights is not None and self._resumed is None:
            from fmnist_cli.checkpoints import weights

            weights.start_from(model, self.network, config.weights)
            self.val_is_seen = has_seen_validation(config.weights, data.record)
        budget = None
        if config.time_budget is not None:
            spent = time.monotonic() - self._started_at
            reserve = max(_FINISH_SECONDS, _FINISH_SHARE * spent)
            budget = Budget(config.time_budget - spent - reserve)
        if config.normalization is not None:
            normalization = Normalization.parse(config.normalization)
        elif self._model is not None:
            normalization = Normalization.RAW
        else:
            normalization = models.network(config.model).normalization
        return Trainer(
            config,
            model,
            normalization,
            data.train,
            data.val,
            device=self.device,
            process=self.process,
            budget=budget,
            should_stop=lambda: self.should_stop(),
        )

    def _describe(self, trainer: Trainer, data: RunData) -> ModelMetadata:
        """Record the network, its normalization, and the options and data that train it."""
        model = trainer.train_step.model
        return ModelMetadata(
            network=NetworkRecord(
                self.network,
                self.config.network_options(),
                models.count_parameters(model),
                count_macs(model),
                digest(self.network) if is_own(self.network) else None,
            ),
            normalization=trainer.normalization,
            classes=data.train.classes,
            recipe=self.config.recipe,
            config={**asdict(self.config), "model": self.network},
            data=data.record,
            versions={
                "fmnist": VERSION,
                "torch": str(torch.__version__),
                "python": platform.python_version(),
            },
            created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        )

    def _fit(
        self, folder: RunDirectory, prepared: _Prepared, track: Track | None
    ) -> Iterator[EpochResult]:
        try:
            for result in prepared.trainer.fit(track):
                self.history.append({name: getattr(result, name) for name in HISTORY_COLUMNS})
                self._save(folder, prepared)
                yield result
        except Stopped:
            self._save(folder, prepared)
            raise

    def _save(self, folder: RunDirectory, prepared: _Prepared) -> None:
        """Write the state, and from it the run's other files."""
        trainer = prepared.trainer
        self._seconds = time.perf_counter() - self._ready_at
        training = {
            "trainer": trainer.state_dict(),
            "history": self.history,
            "seconds": self._seconds,
            "output": str(self.output),
        }
        metadata = self._metadata(folder, prepared, len(self.history))
        weights = trainer.train_step.trained.state_dict()
        checkpoint.save(
            folder.state_file, weights, metadata, training=training, digests=prepared.digests
        )
        folder.describe(self.config, self.history)

    def _finish(self, folder: RunDirectory, prepared: _Prepared) -> None:
        """Write the model and the curves, which mark a finished run."""
        best = prepared.trainer.best
        assert best is not None
        temperature = prepared.trainer.fit_temperature()
        metadata = replace(self._metadata(folder, prepared, best.epoch), temperature=temperature)
        checkpoint.save(self.output, best.state_dict, metadata, digests=prepared.digests)
        folder.draw_curves(self.history)
        rates = [row["images_per_second"] for row in self.history]
        self.summary = Summary(
            model=str(self.output),
            run_dir=str(folder.path),
            recipe=self.config.recipe,
            epochs=len(self.history),
            seconds=self._seconds,
            images_per_second=sum(rates) / len(rates),
            val_accuracy=self.history[best.epoch - 1]["val_accuracy"],
            best_epoch=best.epoch,
            seed=self.config.seed,
            device=str(self.device),
            data=self.config.data,
        )

    def _metadata(self, folder: RunDirectory, prepared: _Prepared, epoch: int) -> ModelMetadata:
        """Metadata of the weights as they were after `epoch` epochs."""
        row = self.history[epoch - 1] if epoch else {}
        accuracy, loss = row.get("val_accuracy"), row.get("val_loss")
        metrics = Metrics(accuracy, loss, epoch, prepared.trainer.epochs, self._seconds)
        return replace(prepared.metadata, run_dir=str(folder.path), metrics=metrics)


def train(
    config: TrainConfig,
    *,
    output: str | Path = "model.pt",
    run_dir: str | Path | None = None,
    data_dir: Path | None = None,
    mirrors: Sequence[str] = (),
    data: LabeledImages | None = None,
    model: nn.Module | None = None,
) -> Iterator[EpochResult]:
    """Train and write the model; yields each epoch's result as it comes.

    output: the model file. run_dir: directory of the run; None: a new one below `runs`.
    data_dir, mirrors: directory and sources of the official files. data, model: your own images
    and network, see `Run`. Raises every error of this package.
    """
    run = Run(
        config,
        output=output,
        run_dir=run_dir,
        data_dir=data_dir,
        mirrors=mirrors,
        data=data,
        model=model,
    )
    yield from run.epochs()
