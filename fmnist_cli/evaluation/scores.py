"""Labels and probabilities to scores."""

from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fmnist_cli.constants import CLASS_NAMES, NUM_CLASSES
from fmnist_cli.data.images import Labels
from fmnist_cli.errors import DataError

CALIBRATION_BINS: Final = 15
MOST_CONFUSED: Final = 5
"""Pairs of classes that a result lists."""
_REPORT_DIGITS: Final = 4
_SMALLEST_PROBABILITY: Final = float(np.finfo(np.float32).tiny)
"""A probability of 0 counts as this in the loss, so that one image can't make it infinite."""
Z95: Final = NormalDist().inv_cdf(0.975)
"""Standard deviations either side of a normal mean that hold 95%."""

Interval: TypeAlias = tuple[float, float]


@dataclass(frozen=True, slots=True)
class ConfusedPair:
    """Images of one class that were taken for another."""

    true: str
    predicted: str
    count: int
    share: float
    """Of the images of the true class."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """How often the model is right, by how sure it says it is.

    Bins of equal width over the greatest probability; bin i is (i/15, (i+1)/15].
    """

    counts: NDArray[np.int64]
    """Images per bin, [15]."""
    confidence: NDArray[np.float64]
    """Mean greatest probability per bin, [15]; 0 in an empty bin."""
    accuracy: NDArray[np.float64]
    """Share of right answers per bin, [15]; 0 in an empty bin."""

    @property
    def error(self) -> float:
        """Expected calibration error: mean of |accuracy - confidence| over images.

        Guo et al., "On Calibration of Modern Neural Networks" (2017), equation 3.
        """
        gaps = np.abs(self.accuracy - self.confidence)
        return float(gaps @ self.counts / self.counts.sum())


@dataclass(frozen=True, slots=True)
class Scores:
    """What a model's probabilities are worth on labeled images."""

    n: int
    accuracy: float
    accuracy_ci95: Interval
    """Wilson's score interval."""
    loss: float
    """Mean cross-entropy in nats."""
    calibration: Calibration
    confusion_matrix: NDArray[np.int64]
    """[10, 10]: row = true class, column = predicted."""
    report: dict[str, Any]
    """scikit-learn's classification_report as a dict."""
    report_text: str
    """The same as scikit-learn's text."""

    @property
    def ece(self) -> float:
        """Expected calibration error."""
        return self.calibration.error

    @property
    def most_confused(self) -> list[ConfusedPair]:
        """The pairs of classes with the most mistakes, the worst first."""
        wrong = self.confusion_matrix.copy()
        np.fill_diagonal(wrong, 0)
        worst = np.argsort(-wrong, axis=None, kind="stable")[:MOST_CONFUSED]
        totals = self.confusion_matrix.sum(axis=1)
        return [
            ConfusedPair(
                CLASS_NAMES[true],
                CLASS_NAMES[predicted],
                int(wrong[true, predicted]),
                float(wrong[true, predicted] / totals[true]),
            )
            for true, predicted in zip(*np.unravel_index(worst, wrong.shape), strict=True)
            if wrong[true, predicted]
        ]


def score(labels: Labels, probabilities: NDArray[np.float32]) -> Scores:
    """Score probabilities float32 [N, 10] against labels int64 [N].

    Raises DataError where there are no images.
    """
    from sklearn.metrics import classification_report

    if not len(labels):
        raise DataError("there are no images to judge")
    predictions = probabilities.argmax(axis=1)
    correct = int((predictions == labels).sum())

    def report(*, as_dict: bool) -> Any:
        return classification_report(
            labels,
            predictions,
            labels=range(NUM_CLASSES),
            target_names=CLASS_NAMES,
            digits=_REPORT_DIGITS,
            zero_division=0.0,
            output_dict=as_dict,
        )

    return Scores(
        n=len(labels),
        accuracy=correct / len(labels),
        accuracy_ci95=wilson_interval(correct, len(labels)),
        loss=cross_entropy(labels, probabilities),
        calibration=calibrate(labels, probabilities),
        confusion_matrix=count_confusions(labels, predictions),
        report=report(as_dict=True),
        report_text=report(as_dict=False),
    )


def wilson_interval(successes: int, n: int) -> Interval:
    """95% interval of a share, `successes` of `n` > 0: Wilson's score interval (1927)."""
    share = successes / n
    center = share + Z95**2 / (2 * n)
    half = Z95 * ((share * (1 - share) + Z95**2 / (4 * n)) / n) ** 0.5
    scale = 1 + Z95**2 / n
    return max(0.0, (center - half) / scale), min(1.0, (center + half) / scale)


def cross_entropy(labels: Labels, probabilities: NDArray[np.float32]) -> float:
    """Mean of -ln(probability of the true class) over float32 [N, 10]."""
    given = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    return float(-np.log(np.maximum(given, _SMALLEST_PROBABILITY)).mean())


def count_confusions(labels: Labels, predictions: Labels) -> NDArray[np.int64]:
    """Count how often each class is taken for each other.

    labels, predictions: int64 [N], values 0..9.
    Returns int64 [10, 10]: row = true class, column = predicted.
    """
    cells = np.bincount(labels * NUM_CLASSES + predictions, minlength=NUM_CLASSES**2)
    return cells.reshape(NUM_CLASSES, NUM_CLASSES).astype(np.int64)


def calibrate(labels: Labels, probabilities: NDArray[np.float32]) -> Calibration:
    """Compare how sure the model is, float32 [N, 10], with how often it is right."""
    confidence = probabilities.max(axis=1).astype(np.float64)
    is_right = probabilities.argmax(axis=1) == labels
    bins = np.ceil(confidence * CALIBRATION_BINS).astype(np.int64) - 1
    bins = bins.clip(0, CALIBRATION_BINS - 1)
    counts = np.bincount(bins, minlength=CALIBRATION_BINS).astype(np.int64)

    def mean(values: NDArray[Any]) -> NDArray[np.float64]:
        sums = np.bincount(bins, weights=values, minlength=CALIBRATION_BINS)
        return sums / np.maximum(counts, 1)

    return Calibration(counts, mean(confidence), mean(is_right))
