"""What the engine tells while it trains: facts, for whoever draws them."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, slots=True)
class Progress:
    """Where an epoch is, a few times a second."""

    epoch: int
    """From 1."""
    epochs: int
    step: int
    steps: int
    loss: float
    accuracy: float
    images_per_second: float


@dataclass(frozen=True, slots=True)
class EpochResult:
    """What one epoch gave."""

    epoch: int
    """From 1."""
    epochs: int
    train_loss: float
    """Mean over the epoch, augmented, while the weights moved."""
    train_accuracy: float
    val_loss: float | None
    """None without a validation split."""
    val_accuracy: float | None
    lr: float
    """At the end of the epoch."""
    seconds: float
    """Training and validation."""
    images_per_second: float
    """Of training alone, over all processes."""
    is_best: bool


@dataclass(frozen=True, slots=True)
class Summary:
    """What a run gave, under the keys that `fmnist train --format json` prints."""

    model: str
    run_dir: str
    recipe: str
    epochs: int
    seconds: float
    """From the data in memory to the end of the last epoch, over all sittings of the run."""
    images_per_second: float
    """Training images over the seconds of training, mean of the epochs."""
    val_accuracy: float | None
    """Of the best epoch."""
    best_epoch: int
    seed: int
    device: str
    data: str


class Stopped(Exception):  # noqa: N818 - asked for, not a fault
    """Training was asked to stop; the trainer's state is whole and can be saved."""


@dataclass(slots=True)
class Best:
    """The weights that the run gives away if it ends now."""

    epoch: int
    worth: float
    """The monitored metric, negated where less is better."""
    state_dict: "dict[str, Tensor]"

    def as_dict(self) -> dict[str, Any]:
        """Plain data and tensors."""
        return {"epoch": self.epoch, "worth": self.worth, "state_dict": self.state_dict}
