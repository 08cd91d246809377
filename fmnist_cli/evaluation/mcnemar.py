"""Two models on the same images: what differs, and whether that is more than chance."""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fmnist_cli.data.images import Labels
from fmnist_cli.errors import DataError
from fmnist_cli.evaluation.scores import Z95, Interval, wilson_interval

_EXACT_BELOW: Final = 25
"""Images that one model alone gets right, below which McNemar's p is exact: the usual rule."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Models A and B, judged on the same n images."""

    n: int
    accuracy: tuple[float, float]
    """Of A and of B."""
    accuracy_ci95: tuple[Interval, Interval]
    difference: float
    """Accuracy of B less that of A."""
    difference_ci95: Interval
    only_a_right: int
    only_b_right: int
    mcnemar_p: float
    """Chance of so uneven a count if both models were equally good (two-sided)."""
    mcnemar_is_exact: bool
    agreement: float
    """Share of images that both put into the same class, right or wrong."""
    differing: NDArray[np.int64]
    """Positions of the images that they put into different classes."""


def compare(labels: Labels, a: NDArray[np.float32], b: NDArray[np.float32]) -> Comparison:
    """Compare probabilities float32 [N, 10] of two models on labels int64 [N].

    Raises DataError where there are no images.
    """
    n = len(labels)
    if not n:
        raise DataError("there are no images to judge")
    predicted_a, predicted_b = a.argmax(axis=1), b.argmax(axis=1)
    right_a, right_b = predicted_a == labels, predicted_b == labels
    correct_a, correct_b = int(right_a.sum()), int(right_b.sum())
    only_a, only_b = int((right_a & ~right_b).sum()), int((right_b & ~right_a).sum())
    differing = np.flatnonzero(predicted_a != predicted_b)
    return Comparison(
        n=n,
        accuracy=(correct_a / n, correct_b / n),
        accuracy_ci95=(wilson_interval(correct_a, n), wilson_interval(correct_b, n)),
        difference=(correct_b - correct_a) / n,
        difference_ci95=paired_interval(only_a, only_b, n),
        only_a_right=only_a,
        only_b_right=only_b,
        mcnemar_p=mcnemar_p(only_a, only_b),
        mcnemar_is_exact=_is_small(only_a, only_b),
        agreement=1 - len(differing) / n,
        differing=differing,
    )


def paired_interval(only_a: int, only_b: int, n: int) -> Interval:
    """95% interval of the difference of two paired shares, (only_b - only_a) / n.

    Bonett and Price, "Adjusted Wald Confidence Interval for a Difference of Binomial Proportions
    Based on Paired Data" (2012), equation 3: one image is added to either count.
    """
    share_a, share_b = (only_a + 1) / (n + 2), (only_b + 1) / (n + 2)
    difference = share_b - share_a
    half = Z95 * math.sqrt((share_a + share_b - difference**2) / (n + 2))
    return max(-1.0, difference - half), min(1.0, difference + half)


def mcnemar_p(only_a: int, only_b: int) -> float:
    """Two-sided p of McNemar's test: exact where few images count, else chi-squared.

    Chi-squared has one degree of freedom and the continuity correction of Edwards (1948).
    """
    discordant = only_a + only_b
    if not discordant:
        return 1.0
    if _is_small(only_a, only_b):
        tail = sum(math.comb(discordant, k) for k in range(min(only_a, only_b) + 1))
        return min(1.0, 2.0 * tail / 2.0**discordant)
    statistic = max(0, abs(only_a - only_b) - 1) ** 2 / discordant
    return math.erfc(math.sqrt(statistic / 2))


def _is_small(only_a: int, only_b: int) -> bool:
    return only_a + only_b < _EXACT_BELOW
