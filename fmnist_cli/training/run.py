"""A training run from data to files: the engine, a run folder and a model file put together.

for result in Run(TrainConfig(epochs=5)).epochs():
    print(result.epoch, result.val_accuracy)
"""

import dataclasses
import shlex
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import torch

from fmnist_cli import models
from fmnist_cli.checkpoints import checkpoint
from fmnist_cli.checkpoints.metadata import ModelMetadata
from fmnist_cli.data.images import LabeledImages
from fmnist_cli.data.sources import open_source
from fmnist_cli.data.splits import divide
from fmnist_cli.errors import DataError, UsageError
from fmnist_cli.files import check_writable
from fmnist_cli.inference import torch_devices
from fmnist_cli.inference.torch_devices import keep_freed_memory
from fmnist_cli.training import provenance, recipes
from fmnist_cli.training import resume as resumption
from fmnist_cli.training.budget import Budget
from fmnist_cli.training.events import EventLog
from fmnist_cli.training.freezing import freeze_backbone
from fmnist_cli.training.options import OPTIONS, TrainConfig
from fmnist_cli.training.processes import Process, joined
from fmnist_cli.training.results import EpochResult, Stopped, Summary
from fmnist_cli.training.run_directory import STATE_FILE, RunDirectory, history_row
from fmnist_cli.training.trainer import Track, Trainer

if TYPE_CHECKING:
    from fmnist_cli.data.download import Track as DownloadTrack

SPLIT_SEED: Final = 0
"""The validation split depends on the data and its size alone, so runs can be compared."""
_FINISH_SECONDS: Final = 2.0
_FINISH_SHARE: Final = 1.25
"""What a time budget keeps free for files and exit: on a busy machine, a share of what the start
took, since that was slow for the same reason."""


class Run:
    """One run: `epochs` trains, saving as it goes; `summary` tells what came of it."""

    def __init__(
        self,
        config: TrainConfig,
        *,
        output: str | Path = "model.pt",
        run_dir: str | Path | None = None,
        data_dir: Path | None = None,
        mirrors: Sequence[str] = (),
        started_at: float | None = None,
    ) -> None:
        """`started_at`: time.monotonic() from which a time budget counts (default: now)."""
        self.process = Process.from_environment()
        if config.batch_size % self.process.count:
            raise UsageError(
                f"--batch-size {config.batch_size} can't be shared evenly by "
                f"{self.process.count} processes"
            )
        self.device = self.process.device(config.device)
        keep_freed_memory()
        threads = torch_devices.set_threads(config.threads)
        self.config = dataclasses.replace(config, threads=threads, device=str(self.device))
        if config.deterministic:
            torch_devices.make_deterministic()
        self.output = Path(output)
        self.source = open_source(
            config.data,
            test_data=config.test_data,
            data_dir=data_dir,
            mirrors=mirrors,
            workers=config.workers,
            photo=config.photo,
        )
        self.should_stop: Callable[[], bool] = lambda: False
        """Asked between two steps: True ends `epochs` with the state saved."""
        self._started_at = time.monotonic() if started_at is None else started_at
        self._run_dir = None if run_dir is None else Path(run_dir)
        self._resumed: dict[str, Any] | None = None
        self._seconds = 0.0
        self.folder: RunDirectory | None = None
        self.history: list[dict[str, Any]] = []
        self.summary: Summary | None = None
        self.val_is_seen = False
        """Whether the first weights know the validation images; told once they are loaded."""

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
        """Continue an earlier run, with `given` options in place of its own.

        Raises MissingInput or CheckpointError where there is no state to go on from, UsageError for
        an option that a run can't change half-way.
        """
        folder = RunDirectory.find(name)
        loaded = resumption.read_state(folder.state_file)
        fixed = [name for name in given if not OPTIONS[name].resumable]
        if fixed:
            changeable = sorted(option.flag for option in OPTIONS.values() if option.resumable)
            raise UsageError(
                f"{OPTIONS[fixed[0]].flag} can't change when a run is resumed; "
                f"these can: {', '.join(changeable)}"
            )
        assert loaded.training is not None
        assert loaded.metadata.config is not None
        assert loaded.metadata.data is not None
        with resumption.of_known_form(folder.state_file):
            config = TrainConfig.from_dict({**loaded.metadata.config, **given})
            state = {**loaded.training, "fingerprint": loaded.metadata.data.fingerprint}
        run = cls(
            config,
            output=output or state["output"],
            run_dir=folder.path,
            data_dir=data_dir,
            mirrors=mirrors,
            started_at=started_at,
        )
        run._resumed = state
        return run

    def download(self, track: "DownloadTrack") -> None:
        """Fetch the training files now, if they are the official ones: `epochs` would do it too."""
        if self.source.kind == "fashion-mnist":
            self.source.fetch("train", track)

    def how_to_go_on(self) -> str:
        """The command that resumes this run, if it has come far enough to be resumed."""
        if self.folder is None or not self.folder.state_file.exists():
            return "nothing was trained yet"
        return f"to go on: fmnist train --resume {shlex.quote(str(self.folder.path))}"

    def epochs(self, track: Track | None = None) -> Iterator[EpochResult]:
        """Train; yields each epoch's result after its state is saved.

        `track` is told of progress within epochs. Raises Stopped, with the state saved, once
        `should_stop` says so.
        """
        with joined(self.process, self.device), torch_devices.refusal_told(self.device):
            if self.process.is_main:
                check_writable(self.output)
            self._prepare()
            if not self.process.is_main:
                yield from self._fit(None)
                return
            # Only now, so that a mistake in data or options leaves no empty folder behind.
            self.folder = RunDirectory.new(self._run_dir, self.config.model)
            with self.folder.locked():
                if self._resumed is not None:  # a kill may have come between the state and these
                    self.folder.describe(self.config, self.history)
                yield from self._fit(track)
                self._finish(self.folder)

    def _prepare(self) -> None:
        train, val = self._read_data()
        self._ready_at = time.perf_counter()
        self._trainer = self._build(train, val)
        self._description = provenance.describe_model(
            self.config,
            self._trainer.train_step.model,
            self._options,
            self._trainer.normalization,
            self._data,
        )
        if self._resumed is not None:
            with resumption.of_known_form(Path(self._run_dir or "") / STATE_FILE):
                self._trainer.load_state_dict(self._resumed["trainer"])
            self.history, self._seconds = self._resumed["history"], self._resumed["seconds"]

    def _fit(self, track: Track | None) -> Iterator[EpochResult]:
        if self._resumed is None:
            self._save()
        began_at = self._ready_at - self._seconds
        log = self._event_log()
        try:
            for result in self._trainer.fit(track):
                self._seconds = time.perf_counter() - began_at
                self.history.append(history_row(result))
                self._save()
                if log is not None:
                    log.epoch(result)
                yield result
        except Stopped:
            self._seconds = time.perf_counter() - began_at
            self._save()
            raise
        finally:
            if log is not None:
                log.close()

    def _read_data(self) -> tuple[LabeledImages, LabeledImages]:
        """Training and validation images; never anything of the test split."""
        data = self.source.read("train")
        val_size = self.config.val_size_for(len(data))
        self.config = dataclasses.replace(self.config, val_size=val_size)
        self._data = provenance.describe_data(self.source, data, val_size, SPLIT_SEED)
        if self._resumed is not None and self._resumed["fingerprint"] != self._data.fingerprint:
            raise DataError(
                f"'{self.config.data}' is not the data that the run began with "
                f"(fingerprint {self._data.fingerprint}, then {self._resumed['fingerprint']})"
            )
        train, val = divide(data, val_size, SPLIT_SEED)
        if self._resumed is None:
            self._check_batch_size(len(train))
        self._digests = provenance.record_of_images(self.source, train)
        return train, val

    def _check_batch_size(self, n: int) -> None:
        """Refuse a batch larger than the training data; a recipe's own is cut to fit instead."""
        if self.config.batch_size > n and not recipes.sets(self.config, "batch_size"):
            raise UsageError(
                f"--batch-size {self.config.batch_size:,} is more than the {n:,} images to train "
                f"on; choose {n:,} or fewer"
            )

    def _build(self, train: LabeledImages, val: LabeledImages) -> Trainer:
        config = self.config
        torch.manual_seed(config.seed)
        self._options = {} if config.dropout is None else {"dropout": config.dropout}
        model = models.build(config.model, **self._options)
        if config.weights is not None:
            from fmnist_cli.checkpoints import weights

            if self._resumed is None:
                weights.start_from(model, config.model, config.weights)
                self.val_is_seen = provenance.has_seen_validation(config.weights, self._data)
        if config.freeze_backbone:
            freeze_backbone(model)
        budget = None
        if config.time_budget is not None:
            spent = time.monotonic() - self._started_at
            reserve = max(_FINISH_SECONDS, _FINISH_SHARE * spent)
            budget = Budget(config.time_budget - spent - reserve)
        return Trainer(
            config,
            model,
            models.network(config.model).normalization,
            train,
            val,
            device=self.device,
            process=self.process,
            budget=budget,
            should_stop=lambda: self.should_stop(),
        )

    def _event_log(self) -> EventLog | None:
        if not self.config.tensorboard or self.folder is None:
            return None
        log = EventLog(self.folder.path)
        log.images(self._trainer.batches)
        return log

    def _save(self) -> None:
        """Write the run's files; the state alone is enough to write the others again."""
        if self.folder is None:
            return
        training = {
            "trainer": self._trainer.state_dict(),
            "history": self.history,
            "seconds": self._seconds,
            "output": str(self.output),
        }
        checkpoint.save(
            self.folder.state_file,
            self._trainer.train_step.trained.state_dict(),
            self._metadata(len(self.history)),
            training=training,
            digests=self._digests,
        )
        self.folder.describe(self.config, self.history)

    def _finish(self, folder: RunDirectory) -> None:
        best = self._trainer.best
        assert best is not None
        metadata = dataclasses.replace(
            self._metadata(best.epoch), temperature=self._trainer.fit_temperature()
        )
        checkpoint.save(self.output, best.state_dict, metadata, digests=self._digests)
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

    def _metadata(self, epoch: int) -> ModelMetadata:
        """What the file records of the weights as they were after `epoch` epochs."""
        row = self.history[epoch - 1] if epoch else None
        return dataclasses.replace(
            self._description,
            run_dir=str(self.folder.path) if self.folder is not None else None,
            metrics=provenance.describe_metrics(row, self._trainer.epochs, self._seconds),
        )


def train(config: TrainConfig, **arguments: Any) -> Iterator[EpochResult]:
    """Train and write the model; yields each epoch's result as it comes.

    `arguments` are those of `Run`, such as `output` and `run_dir`.
    """
    yield from Run(config, **arguments).epochs()
