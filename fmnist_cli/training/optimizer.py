"""torch's optimizers and learning rate schedules by name."""

import inspect
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, TypeVar

import torch
from torch import nn
from torch.optim import SGD, Adam, AdamW, Optimizer
from torch.optim.lr_scheduler import (
    ConstantLR,
    CosineAnnealingLR,
    LinearLR,
    LRScheduler,
    OneCycleLR,
    ReduceLROnPlateau,
    SequentialLR,
    StepLR,
)

from fmnist_cli import models
from fmnist_cli.training.options import TrainConfig

_Kind = TypeVar("_Kind", bound=Optimizer)

_WARMUP_START: Final = 0.01
"""Learning rate at the start of the warm-up, relative to the peak."""
_STEP_DROP, _STEP_PARTS = 0.1, 3
"""`step` divides the learning rate by 10 after each third of the run."""
_PLATEAU_DROP, _PLATEAU_PATIENCE = 0.3, 2
"""`plateau` multiplies the learning rate by 0.3 after two epochs without improvement."""


def build_optimizer(model: nn.Module, config: TrainConfig) -> Optimizer:
    """An optimizer over the model's trainable parameters.

    Biases and norms (parameters of one dimension) are not decayed; the last layer has its own
    learning rate if `head_lr` is given.
    """
    groups = _parameter_groups(model, config)
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


def _parameter_groups(model: nn.Module, config: TrainConfig) -> list[dict[str, Any]]:
    of_head = set()
    if config.head_lr is not None:
        of_head = {id(parameter) for parameter in models.head_of(model)[1].parameters()}
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for parameter in model.parameters():
        if parameter.requires_grad:
            lr = (id(parameter) in of_head and config.head_lr) or config.lr
            decay = config.weight_decay if parameter.dim() > 1 else 0.0
            groups.setdefault((lr, decay), []).append(parameter)
    return [
        {"params": parameters, "lr": lr, "weight_decay": decay}
        for (lr, decay), parameters in groups.items()
    ]


_CURVES: Final[Mapping[str, Callable[[Optimizer, int], LRScheduler]]] = {
    "constant": lambda optimizer, _steps: ConstantLR(optimizer, factor=1.0),
    "step": lambda optimizer, steps: StepLR(
        optimizer, max(1, -(-steps // _STEP_PARTS)), gamma=_STEP_DROP
    ),
    "cosine": lambda optimizer, steps: CosineAnnealingLR(optimizer, steps),
    "linear": lambda optimizer, steps: LinearLR(optimizer, 1.0, 0.0, steps),
    "onecycle": lambda optimizer, steps: OneCycleLR(
        # One step more than are taken: torch's curve ends with its last step and rejects another.
        optimizer,
        [group["lr"] for group in optimizer.param_groups],
        total_steps=steps + 1,
    ),
    "plateau": lambda optimizer, _steps: ConstantLR(optimizer, factor=1.0),
}


class Schedule:
    """The learning rate by step and, for `plateau`, by validation metric."""

    def __init__(
        self, optimizer: Optimizer, config: TrainConfig, total_steps: int, steps_per_epoch: int
    ) -> None:
        self.optimizer = optimizer
        self.total_steps = total_steps
        self.position = 0
        """Steps taken along the curve, at most `total_steps`."""
        for group in optimizer.param_groups:
            group.setdefault("initial_lr", group["lr"])
        warmup = min(round(config.warmup * steps_per_epoch), total_steps // 2)
        with _unwarned():
            self._curve = _build_curve(optimizer, config.schedule, total_steps, warmup)
        self._plateau: ReduceLROnPlateau | None = None
        if config.schedule == "plateau":
            self._plateau = ReduceLROnPlateau(
                optimizer,
                "max" if config.monitor == "accuracy" and config.val_size else "min",
                factor=_PLATEAU_DROP,
                patience=_PLATEAU_PATIENCE,
            )

    @property
    def lr(self) -> float:
        """Learning rate of the first parameter group in the next step."""
        return float(self.optimizer.param_groups[0]["lr"])

    def advance_to(self, position: int) -> None:
        """Advance along the curve, at most to its end."""
        with _unwarned():
            while self.position < min(position, self.total_steps):
                self._curve.step()
                self.position += 1

    def end_epoch(self, metric: float) -> None:
        """Pass the monitored metric to `plateau`."""
        if self._plateau is not None:
            self._plateau.step(metric)

    def state_dict(self) -> dict[str, Any]:
        """Plain data from which `load_state_dict` resumes."""
        return {
            "position": self.position,
            "plateau": self._plateau.state_dict() if self._plateau is not None else None,
            "lrs": [group["lr"] for group in self.optimizer.param_groups],
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Resume from `state`.

        The curve is traversed again, so an extended run continues along the longer curve.
        """
        self.advance_to(state["position"])
        if self._plateau is not None and state["plateau"] is not None:
            self._plateau.load_state_dict(state["plateau"])
            for group, lr in zip(self.optimizer.param_groups, state["lrs"], strict=True):
                group["lr"] = lr


def _build_curve(optimizer: Optimizer, name: str, total_steps: int, warmup: int) -> LRScheduler:
    if warmup <= 0:
        return _CURVES[name](optimizer, total_steps)
    rise = LinearLR(optimizer, _WARMUP_START, 1.0, warmup)
    fall = _CURVES[name](optimizer, total_steps - warmup)
    return SequentialLR(optimizer, [rise, fall], [warmup])


@contextmanager
def _unwarned() -> Iterator[None]:
    """Suppress torch's warnings about the order of steps while the curve is traversed again."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*lr_scheduler.step.*")
        warnings.filterwarnings("ignore", message=".*epoch parameter in `scheduler.step.*")
        yield
