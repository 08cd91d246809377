"""Two models on the same images: their difference, and whether chance explains it."""

import filecmp
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from fmnist_cli.data.class_names import listed
from fmnist_cli.data.images import Labels
from fmnist_cli.data.sources import Source
from fmnist_cli.errors import DataError
from fmnist_cli.evaluation.overlap import count_seen_in_training
from fmnist_cli.evaluation.scores import Z95, Interval, wilson_interval
from fmnist_cli.evaluation.training_record import Split, read_split
from fmnist_cli.inference.classifier import Classifier

_EXACT_BELOW: Final = 25
"""Usual number of discordant images (one model alone right) from which chi-squared is used."""


@dataclass(frozen=True, slots=True)
class PairedScores:
    """Predictions of models A and B for the same n images."""

    n: int
    accuracy: tuple[float, float]
    """Of A and of B."""
    accuracy_ci95: tuple[Interval, Interval]
    difference: float
    """Accuracy of B minus accuracy of A."""
    difference_ci95: Interval
    only_a_right: int
    only_b_right: int
    mcnemar_p: float
    """Two-sided."""
    mcnemar_test: Literal["exact", "chi-squared"]
    agreement: float
    """Share of images with the same predicted class."""
    differing: NDArray[np.int64]
    """Positions of the images with different predicted classes."""


@dataclass(frozen=True, slots=True)
class ComparedModel:
    """One of the two models."""

    model: Path
    probabilities: NDArray[np.float32]
    """[N, K]."""
    seen_in_training: int | None
    """How many of the images it was trained on; None if unknown."""


@dataclass(frozen=True, slots=True)
class ModelComparison:
    """Two models on one split."""

    a: ComparedModel
    b: ComparedModel
    data: str
    is_sample: bool
    split: Split
    labels: Labels
    classes: tuple[str, ...]
    scores: PairedScores
    same_model: bool
    """Whether both files hold the same bytes."""

    def as_dict(self) -> dict[str, Any]:
        """Plain data under the keys of `fmnist compare --format json`."""
        scores = asdict(self.scores)
        accuracies, intervals = scores.pop("accuracy"), scores.pop("accuracy_ci95")
        differing = scores.pop("differing").tolist()
        models = {
            name: {
                "model": str(compared.model),
                "accuracy": accuracy,
                "accuracy_ci95": interval,
                "seen_in_training": compared.seen_in_training,
            }
            for name, compared, accuracy, interval in zip(
                "ab", (self.a, self.b), accuracies, intervals, strict=True
            )
        }
        return {
            **models,
            "data": self.data,
            "is_sample": self.is_sample,
            "split": self.split,
            **scores,
            "same_model": self.same_model,
            "n_differing": len(differing),
            "differing": [
                {
                    "index": index,
                    **self._named(int(self.labels[index])),
                    "a": self._predicted(self.a, index),
                    "b": self._predicted(self.b, index),
                }
                for index in differing
            ],
        }

    def _named(self, label: int) -> dict[str, Any]:
        return {"label": label, "class": self.classes[label]}

    def _predicted(self, compared: ComparedModel, index: int) -> dict[str, Any]:
        row = compared.probabilities[index]
        label = int(row.argmax())
        return {**self._named(label), "probability": float(row[label])}


def compare_models(
    a: Classifier, b: Classifier, source: Source, split: Split, *, tta: bool = False
) -> ModelComparison:
    """Evaluate two models on the same split; `val` is the validation split of A.

    Raises as `fmnist_cli.evaluation.evaluation.evaluate`, and DataError if their classes differ.
    """
    if a.classes != b.classes:
        raise DataError(
            f"'{a.path}' and '{b.path}' have different classes: "
            f"{listed(a.classes)}; {listed(b.classes)}"
        )
    data = read_split(source, split, a)
    compared_a, compared_b = (
        ComparedModel(
            classifier.path,
            classifier(data.images, tta=tta),
            count_seen_in_training(data.images, source, split, classifier),
        )
        for classifier in (a, b)
    )
    return ModelComparison(
        a=compared_a,
        b=compared_b,
        data=source.spec,
        is_sample=source.is_sample,
        split=split,
        labels=data.labels,
        classes=a.classes,
        scores=score_pair(data.labels, compared_a.probabilities, compared_b.probabilities),
        same_model=filecmp.cmp(a.path, b.path, shallow=False),
    )


def score_pair(labels: Labels, a: NDArray[np.float32], b: NDArray[np.float32]) -> PairedScores:
    """Compare probabilities float32 [N, K] of two models on labels int64 [N].

    Raises DataError if there are no images.
    """
    n = len(labels)
    if not n:
        raise DataError("there are no images to evaluate")
    predicted_a, predicted_b = a.argmax(axis=1), b.argmax(axis=1)
    right_a, right_b = predicted_a == labels, predicted_b == labels
    correct_a, correct_b = int(right_a.sum()), int(right_b.sum())
    only_a, only_b = int((right_a & ~right_b).sum()), int((right_b & ~right_a).sum())
    differing = np.flatnonzero(predicted_a != predicted_b)
    return PairedScores(
        n=n,
        accuracy=(correct_a / n, correct_b / n),
        accuracy_ci95=(wilson_interval(correct_a, n), wilson_interval(correct_b, n)),
        difference=(correct_b - correct_a) / n,
        difference_ci95=paired_interval(only_a, only_b, n),
        only_a_right=only_a,
        only_b_right=only_b,
        mcnemar_p=mcnemar_p(only_a, only_b),
        mcnemar_test="exact" if only_a + only_b < _EXACT_BELOW else "chi-squared",
        agreement=1 - len(differing) / n,
        differing=differing,
    )


def paired_interval(only_a: int, only_b: int, n: int) -> Interval:
    """95% interval of the difference of two paired shares, (only_b - only_a) / n.

    Bonett and Price, "Adjusted Wald Confidence Interval for a Difference of Binomial Proportions
    Based on Paired Data" (2012), equation 3: add one image to each count.
    """
    share_a, share_b = (only_a + 1) / (n + 2), (only_b + 1) / (n + 2)
    difference = share_b - share_a
    half = Z95 * math.sqrt((share_a + share_b - difference**2) / (n + 2))
    return max(-1.0, difference - half), min(1.0, difference + half)


def mcnemar_p(only_a: int, only_b: int) -> float:
    """Two-sided p-value of McNemar's test: exact for few discordant images, else chi-squared.

    Chi-squared has one degree of freedom and the continuity correction of Edwards (1948).
    """
    discordant = only_a + only_b
    if not discordant:
        return 1.0
    if discordant < _EXACT_BELOW:
        tail = sum(math.comb(discordant, k) for k in range(min(only_a, only_b) + 1))
        return min(1.0, 2.0 * tail / 2.0**discordant)
    statistic = max(0, abs(only_a - only_b) - 1) ** 2 / discordant
    return math.erfc(math.sqrt(statistic / 2))
