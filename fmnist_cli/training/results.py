"""What training reports while it runs; the command line displays it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Progress:
    """Progress within an epoch, reported a few times per second."""

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
    """The result of one epoch."""

    epoch: int
    """From 1."""
    epochs: int
    train_loss: float
    """Mean over the epoch, on augmented images, while the weights changed."""
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
    """The result of a run, with the keys of `fmnist train --format json`."""

    model: str
    run_dir: str
    recipe: str
    epochs: int
    seconds: float
    """From data in memory to the end of the last epoch, interruptions not counted."""
    images_per_second: float
    """Training images per second of training, averaged over the epochs."""
    val_accuracy: float | None
    """Of the best epoch."""
    best_epoch: int
    seed: int
    device: str
    data: str


class Stopped(Exception):  # noqa: N818 - requested, not an error
    """Training was asked to stop; the state of the trainer can be saved."""
