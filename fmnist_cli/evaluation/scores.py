"""Scores of class probabilities on labeled images."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fmnist_cli.data.images import Labels

CALIBRATION_BINS: Final = 15
MOST_CONFUSED: Final = 5
"""Pairs of classes that a result lists."""
Z95: Final = NormalDist().inv_cdf(0.975)
"""Half-width of the central 95% of a normal distribution, in standard deviations."""
_MIN_PROBABILITY: Final = float(np.finfo(np.float32).tiny)
"""Lower bound of a probability in the loss, so that one image cannot make it infinite."""

Interval: TypeAlias = tuple[float, float]


@dataclass(frozen=True, slots=True)
class ConfusedPair:
    """Images of one class that were classified as another."""

    true: str
    predicted: str
    count: int
    share: float
    """Of the images of the true class."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """Accuracy by confidence, the greatest probability of an image.

    The bins have equal width; bin i covers (i/15, (i+1)/15].
    """

    counts: NDArray[np.int64]
    """Images per bin, [15]."""
    confidence: NDArray[np.float64]
    """Mean confidence per bin, [15]; 0 in an empty bin."""
    accuracy: NDArray[np.float64]
    """Accuracy per bin, [15]; 0 in an empty bin."""

    @property
    def error(self) -> float:
        """Expected calibration error: the mean of |accuracy - confidence| over images.

        Guo et al., "On Calibration of Modern Neural Networks" (2017), equation 3.
        """
        gaps = np.abs(self.accuracy - self.confidence)
        return float(gaps @ self.counts / self.counts.sum())


@dataclass(frozen=True, slots=True)
class Scores:
    """Scores of a model on labeled images with K classes."""

    classes: tuple[str, ...]
    """Index = label."""
    n: int
    accuracy: float
    accuracy_ci95: Interval
    """Wilson's score interval."""
    loss: float
    """Mean cross-entropy in nats."""
    calibration: Calibration
    confusion_matrix: NDArray[np.int64]
    """[K, K]: row = true class, column = predicted class."""
    report: dict[str, Any]
    """scikit-learn's classification_report as a dictionary."""
    report_text: str
    """The same report as text."""

    @property
    def most_confused(self) -> list[ConfusedPair]:
        """The pairs of classes with the most errors, in descending order."""
        wrong = self.confusion_matrix.copy()
        np.fill_diagonal(wrong, 0)
        worst = np.argsort(-wrong, axis=None, kind="stable")[:MOST_CONFUSED]
        totals = self.confusion_matrix.sum(axis=1)
        return [
            ConfusedPair(
                self.classes[true],
                self.classes[predicted],
                int(wrong[true, predicted]),
                float(wrong[true, predicted] / totals[true]),
            )
            for true, predicted in zip(*np.unravel_index(worst, wrong.shape), strict=True)
            if wrong[true, predicted]
        ]


def score(labels: Labels, probabilities: NDArray[np.float32], classes: Sequence[str]) -> Scores:
    """Score probabilities float32 [N, K] against labels int64 [N], N > 0; `classes`: K names."""
    from sklearn.metrics import classification_report, confusion_matrix

    predictions = probabilities.argmax(axis=1)
    correct = int((predictions == labels).sum())

    def report(*, as_dict: bool) -> Any:
        return classification_report(
            labels,
            predictions,
            labels=range(len(classes)),
            target_names=classes,
            digits=4,
            zero_division=0.0,
            output_dict=as_dict,
        )

    return Scores(
        classes=tuple(classes),
        n=len(labels),
        accuracy=correct / len(labels),
        accuracy_ci95=wilson_interval(correct, len(labels)),
        loss=cross_entropy(labels, probabilities),
        calibration=calibrate(labels, probabilities),
        confusion_matrix=confusion_matrix(labels, predictions, labels=range(len(classes))),
        report=report(as_dict=True),
        report_text=report(as_dict=False),
    )


def wilson_interval(successes: int, n: int) -> Interval:
    """95% score interval (Wilson, 1927) of the share `successes` / `n`; `n` must be positive."""
    share = successes / n
    center = share + Z95**2 / (2 * n)
    half = Z95 * ((share * (1 - share) + Z95**2 / (4 * n)) / n) ** 0.5
    scale = 1 + Z95**2 / n
    return max(0.0, (center - half) / scale), min(1.0, (center + half) / scale)


def cross_entropy(labels: Labels, probabilities: NDArray[np.float32]) -> float:
    """Mean of -ln(probability of the true class) over float32 [N, K]."""
    of_true_class = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    return float(-np.log(np.maximum(of_true_class, _MIN_PROBABILITY)).mean())


def calibrate(labels: Labels, probabilities: NDArray[np.float32]) -> Calibration:
    """Compare the confidence of probabilities float32 [N, K] with their accuracy."""
    confidence = probabilities.max(axis=1).astype(np.float64)
    is_right = probabilities.argmax(axis=1) == labels
    bins = np.ceil(confidence * CALIBRATION_BINS).astype(np.int64) - 1
    bins = bins.clip(0, CALIBRATION_BINS - 1)
    counts = np.bincount(bins, minlength=CALIBRATION_BINS).astype(np.int64)

    def mean(values: NDArray[Any]) -> NDArray[np.float64]:
        sums = np.bincount(bins, weights=values, minlength=CALIBRATION_BINS)
        return sums / np.maximum(counts, 1)

    return Calibration(counts, mean(confidence), mean(is_right))
