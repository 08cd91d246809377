"""Runs that differ only in their seed: mean, 95% interval, paired difference."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from fmnist_cli.runs.record import RunRecord

Interval = tuple[float, float]
_CONFIDENCE: Final = 0.95


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean with its 95% interval, by Student's t."""

    n: int
    mean: float | None
    """None without values."""
    ci95: Interval | None
    """None for fewer than two values, which say nothing about their spread."""

    @classmethod
    def of(cls, values: Sequence[float]) -> "Estimate":
        """Estimate the mean of a population from independent samples of it."""
        n = len(values)
        if not n:
            return cls(0, None, None)
        mean = statistics.fmean(values)
        if n == 1:
            return cls(n, mean, None)
        half = t_quantile(n - 1) * statistics.stdev(values) / math.sqrt(n)
        return cls(n, mean, (mean - half, mean + half))

    @classmethod
    def of_shares(cls, shares: Sequence[float]) -> "Estimate":
        """Estimate a mean accuracy; the interval is clipped to 0 to 1, as no accuracy lies beyond.

        Student's t knows no limits, so few and different accuracies would give such an interval.
        """
        estimate = cls.of(shares)
        if estimate.ci95 is None:
            return estimate
        low, high = estimate.ci95
        return replace(estimate, ci95=(max(low, 0.0), min(high, 1.0)))


@dataclass(frozen=True, slots=True)
class Group:
    """Runs with the same options, the seed left out."""

    runs: Sequence[RunRecord]

    @property
    def seeds(self) -> list[int]:
        """The seeds in order, each once."""
        return sorted({run.seed for run in self.runs})

    @property
    def by_seed(self) -> dict[int, float]:
        """Validation accuracy of each seed; of runs with the same seed the last counts."""
        return {run.seed: run.val_accuracy for run in self.runs if run.val_accuracy is not None}

    @property
    def val_accuracy(self) -> Estimate:
        """Mean over the seeds."""
        return Estimate.of_shares(list(self.by_seed.values()))

    @property
    def seconds(self) -> float:
        """Mean training time of the runs."""
        return statistics.fmean(run.seconds for run in self.runs)

    @property
    def images_per_second(self) -> float:
        """Mean training speed of the runs."""
        return statistics.fmean(run.images_per_second or 0 for run in self.runs)


@dataclass(frozen=True, slots=True)
class PairedDifference:
    """Validation accuracy of one group minus that of another, seed by seed."""

    seeds: Sequence[int]
    """The seeds that both have."""
    estimate: Estimate


def group_by_options(runs: Sequence[RunRecord]) -> list[Group]:
    """Join the runs that differ only in their seed, in the order of each group's first run."""
    groups: dict[str, list[RunRecord]] = {}
    for run in runs:
        key = repr(sorted(item for item in run.options.items() if item[0] != "seed"))
        groups.setdefault(key, []).append(run)
    return [Group(members) for members in groups.values()]


def paired_difference(first: Group, second: Group) -> PairedDifference:
    """Compare two groups by the seeds they share: second minus first."""
    seeds = sorted(first.by_seed.keys() & second.by_seed.keys())
    return PairedDifference(
        seeds, Estimate.of([second.by_seed[seed] - first.by_seed[seed] for seed in seeds])
    )


def t_quantile(df: int) -> float:
    """The t for which 95% of Student's distribution with `df` degrees of freedom lies in ±t."""
    low, high = 0.0, math.pi / 2  # of the angle atan(t / sqrt(df)), which has bounds
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _mass_within(middle, df) < _CONFIDENCE else (low, middle)
    return math.tan(low) * math.sqrt(df)


def _mass_within(angle: float, df: int) -> float:
    """P(|T| <= t) for t = tan(angle) * sqrt(df).

    Abramowitz and Stegun, Handbook of Mathematical Functions (1964), 26.7.3 and 26.7.4.
    """
    is_odd = df % 2
    term = total = math.cos(angle) if is_odd else 1.0
    if df == 1:
        total = 0.0
    for power in range(2 + is_odd, df - 1, 2):
        term *= (power - 1) / power * math.cos(angle) ** 2
        total += term
    total *= math.sin(angle)
    return 2 / math.pi * (angle + total) if is_odd else total
