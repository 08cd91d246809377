"""Two models on the same images: their difference, and whether chance explains it."""

import filecmp
import math
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np

from fmnist_cli.data.class_names import listed
from fmnist_cli.data.sources import Source
from fmnist_cli.errors import DataError
from fmnist_cli.evaluation.overlap import count_seen_in_training
from fmnist_cli.evaluation.scores import Z95, Interval, wilson_interval
from fmnist_cli.evaluation.training_record import Split, read_split
from fmnist_cli.inference.classifier import Classifier, Probabilities

_EXACT_BELOW: Final = 25
"""Usual number of discordant images (one model alone right) from which chi-squared is used."""


@dataclass(frozen=True, slots=True)
class ComparedModel:
    """One of the two models."""

    model: str
    """Path of its file."""
    accuracy: float
    accuracy_ci95: Interval
    seen_in_training: int | None
    """How many of the images it was trained on; None if unknown."""


@dataclass(frozen=True, slots=True)
class ModelComparison:
    """Two models on the same images, in the form of `fmnist compare --format json`."""

    a: ComparedModel
    b: ComparedModel
    data: str
    is_sample: bool
    split: Split
    n: int
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
    same_model: bool
    """Whether both files hold the same bytes."""
    n_differing: int
    differing: list[dict[str, Any]]
    """The images with different predicted classes: position, true class and both predictions."""


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
    n = len(data)
    answers = [model(data.images, tta=tta) for model in (a, b)]
    predicted_a, predicted_b = (rows.argmax(axis=1) for rows in answers)
    right_a, right_b = predicted_a == data.labels, predicted_b == data.labels
    only_a, only_b = int((right_a & ~right_b).sum()), int((right_b & ~right_a).sum())

    def compared(model: Classifier, correct: int) -> ComparedModel:
        seen = count_seen_in_training(data.images, source, split, model)
        return ComparedModel(str(model.path), correct / n, wilson_interval(correct, n), seen)

    def named(label: int) -> dict[str, Any]:
        return {"label": label, "class": a.classes[label]}

    def predicted(row: Probabilities) -> dict[str, Any]:
        return {**named(int(row.argmax())), "probability": float(row.max())}

    differing = [
        {
            "index": index,
            **named(int(data.labels[index])),
            "a": predicted(answers[0][index]),
            "b": predicted(answers[1][index]),
        }
        for index in np.flatnonzero(predicted_a != predicted_b).tolist()
    ]
    return ModelComparison(
        a=compared(a, int(right_a.sum())),
        b=compared(b, int(right_b.sum())),
        data=source.spec,
        is_sample=source.is_sample,
        split=split,
        n=n,
        difference=(only_b - only_a) / n,
        difference_ci95=paired_interval(only_a, only_b, n),
        only_a_right=only_a,
        only_b_right=only_b,
        mcnemar_p=mcnemar_p(only_a, only_b),
        mcnemar_test="exact" if only_a + only_b < _EXACT_BELOW else "chi-squared",
        agreement=1 - len(differing) / n,
        same_model=filecmp.cmp(a.path, b.path, shallow=False),
        n_differing=len(differing),
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
