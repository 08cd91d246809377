"""A sweep over learning rates: the loss at each, and the rate to train with.

Leslie Smith, "Cyclical Learning Rates for Training Neural Networks" (2017): the rate grows by the
same factor from step to step until the loss diverges.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, count, islice
from pathlib import Path
from typing import Final

from fmnist_cli.errors import CheckFailed
from fmnist_cli.files import atomic_write
from fmnist_cli.training.trainer import Trainer

STEPS: Final = 100
_FIRST, _LAST = 1e-5, 10.0
_SMOOTHING: Final = 0.9
"""Weight of the past in the average of the loss."""
_DIVERGED: Final = 4.0
"""Ratio of the loss to the lowest one at which the sweep ends."""
_LEAST_FALL: Final = 6


@dataclass(frozen=True, slots=True)
class Sweep:
    """The rates in ascending order, and the smoothed training loss at each."""

    rates: tuple[float, ...]
    losses: tuple[float, ...]
    suggestion: float


def draw(found: Sweep, path: Path) -> None:
    """Plot the loss over the rate as PNG or SVG."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.subplots()
    axes.plot(found.rates, found.losses)
    axes.axvline(found.suggestion, linestyle="--", color="gray")
    axes.annotate(f" {found.suggestion:.2g}", (found.suggestion, max(found.losses)))
    axes.set_xscale("log")
    axes.set_xlabel("learning rate")
    axes.set_ylabel("training loss, smoothed")
    with atomic_write(path) as temporary:
        figure.savefig(temporary, format=path.suffix.lower().removeprefix("."), dpi=120)


def sweep(trainer: Trainer) -> Sweep:
    """Train a fresh network for a hundred steps at growing rates; don't use the trainer afterwards.

    Raises CheckFailed if the loss falls at no rate.
    """
    step = trainer.train_step
    step.train_mode()
    groups = step.optimizer.param_groups
    usual = [group["lr"] for group in groups]
    rates: list[float] = []
    losses: list[float] = []
    average = 0.0
    batches = chain.from_iterable(map(trainer.batches.epoch, count()))
    for number, batch in enumerate(islice(batches, STEPS)):
        rate = _FIRST * (_LAST / _FIRST) ** (number / (STEPS - 1))
        for group, own in zip(groups, usual, strict=True):
            group["lr"] = rate * own / trainer.config.lr  # a head keeps its ratio
        _, loss = step.update(batch.images, batch.labels)
        average = _SMOOTHING * average + (1 - _SMOOTHING) * float(loss)
        smoothed = average / (1 - _SMOOTHING ** (number + 1))
        if not math.isfinite(smoothed) or smoothed > _DIVERGED * min([*losses, smoothed]):
            break
        rates.append(rate)
        losses.append(smoothed)
    return Sweep(tuple(rates), tuple(losses), rates[valley(losses)])


def valley(losses: Sequence[float]) -> int:
    """Position three fifths down the longest way on which the loss falls.

    There it falls steadily and has not begun to level off. fastai's "valley" lies at two thirds,
    which is three times the recipe's rate for Adam. Raises CheckFailed if the loss falls nowhere.
    """
    lengths = [1] * len(losses)
    for here in range(len(losses)):
        below = (lengths[before] + 1 for before in range(here) if losses[before] > losses[here])
        lengths[here] = max(below, default=1)
    end = max(range(len(losses)), key=lengths.__getitem__)
    length = lengths[end]
    if length < _LEAST_FALL:
        raise CheckFailed("the loss falls at no learning rate; is the network able to learn?")
    return end - length + length * 3 // 5
