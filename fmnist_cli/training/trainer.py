"""The training loop for every recipe, network, device and number of processes."""

import copy
import math
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from typing import Any, Final, NamedTuple

import torch
from torch import Tensor, nn

from fmnist_cli.data.images import LabeledImages
from fmnist_cli.data.normalization import Normalization
from fmnist_cli.errors import CheckFailed
from fmnist_cli.inference.torch_devices import synchronize
from fmnist_cli.training import metrics
from fmnist_cli.training.batches import NETWORK, Batches, on_device, seed_of
from fmnist_cli.training.metrics import Meter, class_weights, evaluate
from fmnist_cli.training.optimizer import Budget
from fmnist_cli.training.options import TrainConfig
from fmnist_cli.training.processes import ALONE, Process
from fmnist_cli.training.pruning import Pruning
from fmnist_cli.training.results import EpochResult, Progress, Stopped
from fmnist_cli.training.step import TrainStep

_READINGS_PER_SECOND: Final = 4
_STEPS_PER_VOTE: Final = 8
"""How often several processes agree on whether to stop."""
_PROBE_STEPS: Final = 12
"""Steps measured to plan a time budget; the first third is not timed."""

Track = Callable[[Progress], None]


class Best(NamedTuple):
    """The best weights so far, which become the model."""

    epoch: int
    score: float
    """The monitored metric, negated if lower is better."""
    state_dict: dict[str, Tensor]


class Trainer:
    """Trains one network; `fit` yields one result per epoch."""

    def __init__(
        self,
        config: TrainConfig,
        model: nn.Module,
        normalization: Normalization,
        train: LabeledImages,
        val: LabeledImages,
        *,
        device: torch.device,
        process: Process = ALONE,
        budget: Budget | None = None,
        should_stop: Callable[[], bool] = lambda: False,
    ) -> None:
        self.config, self.normalization, self.device = config, normalization, device
        self.process, self.budget, self.should_stop = process, budget, should_stop
        self.batches = Batches(train, config, normalization, device, process)
        self.pruning = Pruning(len(train), config, device)
        self.val_images, self.val_labels = on_device(val, device)
        build = partial(
            TrainStep,
            config,
            device=device,
            process=process,
            class_weights=class_weights(config, train, device),
            steps_per_epoch=len(self.batches),
        )
        total_steps = self._steps_before(config.epochs)
        if budget is not None:
            total_steps = self._plan(build(copy.deepcopy(model), total_steps=total_steps), budget)
        self.train_step = build(model, total_steps=total_steps)
        self.epochs = 1 + max(0, -(-(total_steps - self._steps(0)) // self._steps(1)))
        self.epoch, self.step = 0, 0
        """Completed epochs, and steps taken in the current one."""
        self.share_spent = 0.0
        self.meter = Meter(device)
        self.best: Best | None = None

    def fit(self, track: Track | None = None) -> Iterator[EpochResult]:
        """Train from the current state to the end; `track` is called within epochs.

        Raises Stopped between two steps once `should_stop` returns True; the state can then be
        saved. Raises CheckFailed if the loss is no longer finite.
        """
        while self.epoch < self.epochs and not self._is_patience_spent():
            started_at = time.perf_counter()
            images_per_second = self._train_epoch(track)
            train_loss, train_accuracy = self._read_meter(self.process)
            val_loss, val_accuracy = self._validate(self.train_step.trained)
            self.epoch, self.step, self.meter = self.epoch + 1, 0, Meter(self.device)
            if self.budget is not None:  # the run ends at a time, not after a number of epochs
                is_over = self.share_spent >= 1
                self.epochs = self.epoch if is_over else max(self.epochs, self.epoch + 1)
            score = val_accuracy
            if self.config.monitor == "loss" and val_loss is not None:
                score = -val_loss
            self.train_step.schedule.end_epoch(-train_loss if score is None else score)
            yield EpochResult(
                epoch=self.epoch,
                epochs=self.epochs,
                train_loss=train_loss,
                train_accuracy=train_accuracy,
                val_loss=val_loss,
                val_accuracy=val_accuracy,
                lr=self.train_step.schedule.lr,
                seconds=time.perf_counter() - started_at,
                images_per_second=images_per_second,
                # Without validation, the last weights are the best.
                is_best=self._keep_best(float(self.epoch) if score is None else score),
            )

    def _train_epoch(self, track: Track | None) -> float:
        """Take the remaining steps of one pass over the training split; returns images/s."""
        self.train_step.train_mode(self.epoch)
        first_step = self.step
        if not first_step:
            self.pruning.begin(self.epoch)
        started_at = read_at = time.perf_counter()
        chosen = self.pruning.chosen
        for batch in self.batches.epoch(self.epoch, first_step=first_step, chosen=chosen):
            self._vote()
            if self.share_spent >= 1 and self.step:
                break
            words = self.config.seed, self.epoch, batch.step, NETWORK, self.process.rank
            torch.manual_seed(seed_of(*words))
            self.step = batch.step + 1
            logits, loss = self.train_step.step(batch.images, batch.labels, self._position())
            self.meter.add(loss, logits, batch.labels)
            self.pruning.see(batch.positions, logits, batch.labels)
            now = time.perf_counter()
            if track is not None and now - read_at > 1 / _READINGS_PER_SECOND:
                read_at = now
                track(self._progress(first_step, now - started_at))
        self.pruning.gather(self.process)
        synchronize(self.device)
        return self._rate(first_step, time.perf_counter() - started_at)

    def _vote(self) -> None:
        """Check the clock and `should_stop`, and agree on both with the other processes."""
        if self.process.count > 1 and self.step % _STEPS_PER_VOTE:
            return
        share = self.budget.share_spent() if self.budget is not None else 0.0
        stop, self.share_spent = self.process.most(float(self.should_stop()), share)
        if stop:
            self.pruning.gather(self.process)
            raise Stopped

    def _position(self) -> int:
        """Position in the schedule, by steps or, with a time budget, by the clock."""
        if self.budget is not None:
            return round(self.share_spent * self.train_step.schedule.total_steps)
        return self._steps_before(self.epoch) + self.step

    def _steps(self, epoch: int) -> int:
        """Number of steps in an epoch, counted from 0."""
        return self.pruning.size(epoch) // self.batches.batch_size

    def _steps_before(self, epoch: int) -> int:
        """Number of steps before an epoch; all epochs but the first have the same length."""
        return self._steps(0) * min(epoch, 1) + self._steps(1) * max(epoch - 1, 0)

    def _plan(self, probe: TrainStep, budget: Budget) -> int:
        """Number of steps that fit into the budget, measured with a disposable `TrainStep`."""
        started_at = time.perf_counter()
        probe.train_mode(0)
        for batch in islice(self.batches.epoch(0), _PROBE_STEPS):
            if batch.step == _PROBE_STEPS // 3:
                synchronize(self.device)
                started_at = time.perf_counter()
            probe.step(batch.images, batch.labels, 0)
        synchronize(self.device)
        timed = max(1, min(_PROBE_STEPS, len(self.batches)) - _PROBE_STEPS // 3)
        seconds_per_step = (time.perf_counter() - started_at) / timed
        started_at = time.perf_counter()
        self._validate(probe.trained)
        budget.reserve(time.perf_counter() - started_at)
        steps = budget.seconds_left() / seconds_per_step
        return max(1, -int(self.process.most(-steps)[0]))

    def _progress(self, first_step: int, seconds: float) -> Progress:
        # Reading waits for the device; loss and accuracy are those of this process only.
        loss, accuracy = self._read_meter(ALONE)
        rate, steps = self._rate(first_step, seconds), self._steps(self.epoch)
        return Progress(self.epoch + 1, self.epochs, self.step, steps, loss, accuracy, rate)

    def _rate(self, first_step: int, seconds: float) -> float:
        return (self.step - first_step) * self.batches.batch_size / max(seconds, 1e-9)

    def _read_meter(self, process: Process) -> tuple[float, float]:
        loss, accuracy = self.meter.read(process)
        if not math.isfinite(loss):
            raise CheckFailed(
                f"the loss is {loss} in epoch {self.epoch + 1}: training diverged; "
                f"try a lower --lr (it was {self.config.lr:g}) or --precision fp32"
            )
        return loss, accuracy

    def _validate(self, model: nn.Module) -> tuple[float, float] | tuple[None, None]:
        if not len(self.val_labels):
            return None, None
        # Several processes vote between steps only.
        check = self._vote if self.process.count == 1 else lambda: None
        split = self.val_images, self.val_labels
        return evaluate(model, *split, self.normalization, self.process, check)

    def _keep_best(self, score: float) -> bool:
        """Keep a copy of the weights if they are the best so far."""
        if self.best is not None and score <= self.best.score:
            return False
        state = self.train_step.trained.state_dict()
        copied = {name: value.detach().cpu().clone() for name, value in state.items()}
        self.best = Best(self.epoch, score, copied)
        return True

    def fit_temperature(self) -> float | None:
        """The temperature of the best weights, on the validation split; None without one."""
        if self.best is None or not len(self.val_labels):
            return None
        model = self.train_step.trained
        model.load_state_dict(self.best.state_dict)
        return metrics.fit_temperature(model, self.val_images, self.val_labels, self.normalization)

    def _is_patience_spent(self) -> bool:
        patience = self.config.early_stop
        if patience is None or self.best is None:
            return False
        return self.epoch - self.best.epoch >= patience

    def state_dict(self) -> dict[str, Any]:
        """Tensors and plain data from which `load_state_dict` resumes bit for bit.

        No random state is in it: every random number is a function of (seed, epoch, step).
        """
        return {
            "epoch": self.epoch,
            "step": self.step,
            "share_spent": self.share_spent,
            "meter": self.meter.sums.cpu(),
            "train_step": self.train_step.state_dict(),
            "pruning": self.pruning.state_dict(),
            "best": self.best._asdict() if self.best is not None else None,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Resume from `state`."""
        self.epoch, self.step = state["epoch"], state["step"]
        self.share_spent = state["share_spent"]
        if self.budget is not None:
            self.budget.resume_at(self.share_spent)
        self.meter.sums.copy_(state["meter"])
        self.train_step.load_state_dict(state["train_step"])
        self.pruning.load_state_dict(state["pruning"])
        # By position, since earlier files call the score "worth".
        self.best = Best(*state["best"].values()) if state["best"] is not None else None
