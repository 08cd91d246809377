"""A training run, from options and data to a run directory and a model file.

for result in Run(TrainConfig(epochs=5)).epochs():
    print(result.epoch, result.val_accuracy)
"""

import shlex
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import torch
from torch import nn

from fmnist_cli import models
from fmnist_cli.data.class_names import split_classes
from fmnist_cli.data.images import LabeledImages
from fmnist_cli.data.layouts import ARRAYS
from fmnist_cli.data.normalization import Normalization
from fmnist_cli.data.sources import Source, open_source
from fmnist_cli.errors import OutputError, UsageError
from fmnist_cli.files import check_writable, is_unicode
from fmnist_cli.inference import torch_devices
from fmnist_cli.inference.torch_devices import device_errors
from fmnist_cli.models import own
from fmnist_cli.models.own_code import is_own, own_code_errors
from fmnist_cli.training import find_lr
from fmnist_cli.training.events import log_epochs
from fmnist_cli.training.optimizer import Budget
from fmnist_cli.training.options import TrainConfig
from fmnist_cli.training.processes import Process, joined
from fmnist_cli.training.results import EpochResult, Stopped, Summary
from fmnist_cli.training.run_data import RunData, has_seen_validation, read_run_data
from fmnist_cli.training.run_directory import RunDirectory
from fmnist_cli.training.run_files import Earlier, RunFiles, read_earlier, state_errors
from fmnist_cli.training.trainer import Track, Trainer

_FINISH_SECONDS: Final = 2.0
_FINISH_SHARE: Final = 1.25
"""What a time budget keeps free for files and exit: on a busy machine, a share of what the start
took, since that was slow for the same reason."""


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
        self._data, self._model = data, model
        kind = type(model)
        self.network = config.model if model is None else f"{kind.__module__}:{kind.__qualname__}"
        """Name of the network, for the model file."""
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
        if data is not None:
            self.config = replace(self.config, data=ARRAYS, test_data=None)
            self.source = Source(ARRAYS, ARRAYS)
        else:
            self.source = open_source(
                config.data,
                test_data=config.test_data,
                data_dir=data_dir,
                mirrors=mirrors,
                workers=config.workers,
                photo=config.photo,
                classes=split_classes(config.classes),
            )
        self.should_stop: Callable[[], bool] = lambda: False
        """Called between steps; once it returns True, `epochs` saves the state, writes no model and
        raises Stopped."""
        self._started_at = time.monotonic() if started_at is None else started_at
        self._earlier: Earlier | None = None
        """What a resumed run continues from."""
        self.folder: RunDirectory | None = None
        """The run directory, once the data is in memory."""
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
        """Continue an earlier run, with the `given` options changed. Raises as `read_earlier`."""
        earlier = read_earlier(name, given)
        run = cls(
            earlier.config,
            output=output or earlier.output,
            run_dir=earlier.folder.path,
            data_dir=data_dir,
            mirrors=mirrors,
            started_at=started_at,
        )
        run._earlier = earlier
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
            return find_lr.sweep(self.build_trainer(self._read_data()))

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
            data = self._read_data()
            ready_at = time.perf_counter()
            trainer = self.build_trainer(data)
            if self._earlier is not None:
                with state_errors(self._earlier.folder):
                    trainer.load_state_dict(self._earlier.trainer)
            if not self.process.is_main:
                yield from trainer.fit()
                return
            name = f"{self.network}-seed{self.config.seed}" if self.config.seeds else self.network
            # Only now, so that a mistake in data or options leaves no empty directory behind.
            self.folder = folder = RunDirectory.new(self.run_dir, name)
            with folder.locked():
                files = RunFiles(
                    folder, self.output, self.network, trainer, data, ready_at, self._earlier
                )
                if self._earlier is None:
                    files.save()
                else:  # it may have been killed between writing its state and these files
                    folder.describe(self.config, files.history)
                results = trainer.fit(track)
                if self.config.tensorboard:
                    results = log_epochs(results, trainer, files.history, folder.path)
                try:
                    for result in results:
                        files.add(result)
                        yield result
                except Stopped:
                    files.save()
                    raise
                self.summary = files.finish()

    def _read_data(self) -> RunData:
        fingerprint = None if self._earlier is None else self._earlier.fingerprint
        data = read_run_data(self.source, self.config, self._data, fingerprint)
        self.config = replace(self.config, val_size=len(data.val))
        return data

    def build_trainer(self, data: RunData) -> Trainer:
        """Build the trainer of the run; a subclass may change what it returns."""
        config, num_classes = self.config, len(data.train.classes)
        torch.manual_seed(config.seed)
        if self._model is None:
            model = models.build(config.model, num_classes, **config.network_options())
            normalization = models.network(config.model).normalization
        else:
            model, normalization = self._model, Normalization.RAW
            own.check(model, num_classes, self.network)
        if config.normalization is not None:
            normalization = Normalization.parse(config.normalization)
        if is_own(self.network):
            own.check_training(model, num_classes, self.network)
        if config.weights is not None and self._earlier is None:
            from fmnist_cli.checkpoints import weights

            weights.start_from(model, self.network, config.weights)
            self.val_is_seen = has_seen_validation(config.weights, data.record)
        budget = None
        if config.time_budget is not None:
            spent = time.monotonic() - self._started_at
            reserve = max(_FINISH_SECONDS, _FINISH_SHARE * spent)
            budget = Budget(config.time_budget - spent - reserve)
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
