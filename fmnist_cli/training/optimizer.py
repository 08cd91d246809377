"""torch's optimizers by name, the learning rate at each step, and the time budget behind it."""

import inspect
import math
import time
from typing import Any, Final, TypeVar

import torch
from torch import nn
from torch.optim import SGD, Adam, AdamW, Optimizer

from fmnist_cli import models
from fmnist_cli.training.options import TrainConfig

_Kind = TypeVar("_Kind", bound=Optimizer)

_WARMUP_START: Final = 0.01
"""Learning rate at the start of the warm-up, relative to the peak."""
_STEP_DROP, _STEP_PARTS = 0.1, 3
"""`step` divides the learning rate by 10 after each third of the run."""
_PLATEAU_DROP, _PLATEAU_PATIENCE = 0.3, 2
"""`plateau` multiplies the learning rate by 0.3 after two epochs without improvement."""
_LEAST_IMPROVEMENT: Final = 1e-4
"""Relative to the best metric so far, as torch's ReduceLROnPlateau has it."""
_CYCLE_RATES: Final = (1 / 25, 1.0, 1 / 250_000)
_CYCLE_MOMENTA: Final = (0.95, 0.85, 0.95)
"""`onecycle` at the start, at the peak and at the end, as torch's OneCycleLR has it."""
_CYCLE_RISE: Final = 0.3
"""Share of the steps up to the peak."""


def build_optimizer(model: nn.Module, config: TrainConfig) -> Optimizer:
    """An optimizer over the model's trainable parameters.

    Biases and norms (parameters of one dimension) are not decayed; the last layer has its own
    learning rate if `head_lr` is given.
    """
    head = set() if config.head_lr is None else set(models.head_of(model)[1].parameters())
    by_rate: dict[tuple[float, float], list[nn.Parameter]] = {}
    for parameter in model.parameters():
        if parameter.requires_grad:
            lr = (parameter in head and config.head_lr) or config.lr
            decay = config.weight_decay if parameter.dim() > 1 else 0.0
            by_rate.setdefault((lr, decay), []).append(parameter)
    groups = [
        {"params": parameters, "lr": lr, "weight_decay": decay}
        for (lr, decay), parameters in by_rate.items()
    ]
    match config.optimizer:
        case "sgd":
            nesterov = config.momentum > 0
            return _plain(SGD)(groups, config.lr, config.momentum, nesterov=nesterov, fused=True)
        case "adam":
            return _plain(Adam)(groups, config.lr, fused=True)
        case "adamw":
            return _plain(AdamW)(groups, config.lr, fused=True)


def _plain(kind: type[_Kind]) -> type[_Kind]:
    """The optimizer `kind` with its methods as they are written.

    torch wraps them for its compiler, whose import costs every run a second and 100 MB at the first
    call, though optimizers are never compiled here.
    """
    names = ("add_param_group", "zero_grad", "state_dict", "load_state_dict")
    methods = {name: inspect.unwrap(getattr(kind, name)) for name in names}
    step = torch.no_grad()(inspect.unwrap(kind.step))  # one of the wrappers switched gradients off
    return type(kind.__name__, (kind,), {**methods, "step": step})


class Schedule:
    """The learning rate by step and, for `plateau`, by validation metric."""

    def __init__(
        self, optimizer: Optimizer, config: TrainConfig, total_steps: int, steps_per_epoch: int
    ) -> None:
        self.optimizer, self.name, self.total_steps = optimizer, config.schedule, total_steps
        self._warmup = min(round(config.warmup * steps_per_epoch), total_steps // 2)
        self._peaks = [group["lr"] for group in optimizer.param_groups]
        self._best: float | None = None
        self._waited, self._drops = 0, 0
        """Epochs since the metric improved or the rate dropped, and how often it dropped."""
        self.advance_to(0)

    @property
    def lr(self) -> float:
        """Learning rate of the first parameter group in the next step."""
        return float(self.optimizer.param_groups[0]["lr"])

    def advance_to(self, position: int) -> None:
        """Set the rate for a position in the run: steps taken, at most all of them."""
        self.position = min(position, self.total_steps)
        rate = self._relative_rate() * _PLATEAU_DROP**self._drops
        for group, peak in zip(self.optimizer.param_groups, self._peaks, strict=True):
            group["lr"] = peak * rate
            if self.name == "onecycle":
                momentum = self._cycle(*_CYCLE_MOMENTA)
                if "betas" in group:
                    group["betas"] = (momentum, group["betas"][1])
                else:
                    group["momentum"] = momentum

    def _relative_rate(self) -> float:
        """The learning rate relative to the peak, but for the drops of `plateau`."""
        if self.position < self._warmup:
            return _WARMUP_START + (1 - _WARMUP_START) * self.position / self._warmup
        position, steps = self.position - self._warmup, self.total_steps - self._warmup
        match self.name:
            case "step":
                return _STEP_DROP ** (position // math.ceil(steps / _STEP_PARTS))
            case "cosine":
                return _cosine(1.0, 0.0, position / steps)
            case "linear":
                return 1 - position / steps
            case "onecycle":
                return self._cycle(*_CYCLE_RATES)
        return 1.0

    def _cycle(self, start: float, peak: float, end: float) -> float:
        # One step more than are taken, as torch counts.
        rise = _CYCLE_RISE * (self.total_steps + 1) - 1
        if self.position <= rise:
            return _cosine(start, peak, self.position / rise)
        return _cosine(peak, end, (self.position - rise) / (self.total_steps - rise))

    def end_epoch(self, score: float) -> None:
        """Pass the monitored metric to `plateau`, negated if lower is better."""
        if self.name != "plateau":
            return
        self._waited += 1
        best = self._best
        if best is None or score > best + _LEAST_IMPROVEMENT * abs(best):
            self._best, self._waited = score, 0
        if self._waited > _PLATEAU_PATIENCE:
            self._waited, self._drops = 0, self._drops + 1
            self.advance_to(self.position)

    def state_dict(self) -> dict[str, Any]:
        """Plain data from which `load_state_dict` resumes."""
        plateau = (self._best, self._waited, self._drops) if self.name == "plateau" else None
        return {"position": self.position, "plateau": plateau}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Resume from `state`; an extended run continues along the longer curve."""
        if self.name == "plateau":
            self._best, self._waited, self._drops = state["plateau"]
        self.advance_to(state["position"])


class Budget:
    """Seconds for training (`--time-budget`); the share that is spent drives the schedule.

    The run takes the steps that fit, so the schedule always finishes, and a slow moment of the
    machine costs steps instead of time.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = max(seconds, 1e-3)
        self._started_at = time.monotonic()

    def reserve(self, seconds: float) -> None:
        """Reserve seconds at the end for what follows the last step."""
        self.seconds = max(self.seconds - seconds, 1e-3)

    def seconds_left(self) -> float:
        """Seconds until training has to end."""
        return (1 - self.share_spent()) * self.seconds

    def share_spent(self) -> float:
        """Share of the budget that is spent: 0 at the start, 1 when training has to end."""
        return min(1.0, (time.monotonic() - self._started_at) / self.seconds)

    def resume_at(self, share: float) -> None:
        """Continue as if this share of the budget had been spent."""
        self._started_at = time.monotonic() - share * self.seconds


def _cosine(start: float, end: float, share: float) -> float:
    """From start to end along half a cosine."""
    return end + (start - end) * (1 + math.cos(math.pi * share)) / 2
