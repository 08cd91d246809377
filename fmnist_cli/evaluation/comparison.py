"""Two models judged on the same split."""

import filecmp
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fmnist_cli.constants import CLASS_NAMES
from fmnist_cli.data.images import Labels
from fmnist_cli.data.sources import Source
from fmnist_cli.evaluation.mcnemar import Comparison, compare
from fmnist_cli.evaluation.overlap import count_seen_in_training
from fmnist_cli.evaluation.training_record import Split, read_split
from fmnist_cli.inference.classifier import Classifier


@dataclass(frozen=True, slots=True)
class Side:
    """One of two models that are compared."""

    model: Path
    probabilities: NDArray[np.float32]
    """[N, 10]."""
    seen_in_training: int | None
    """How many of the judged images it learnt from; None where that can't be told."""


@dataclass(frozen=True, slots=True)
class ModelComparison:
    """Two models on one split, and how they compare."""

    a: Side
    b: Side
    data: str
    is_drawn: bool
    split: Split
    labels: Labels
    comparison: Comparison
    same_model: bool
    """Whether both files hold the same bytes."""

    def as_dict(self) -> dict[str, Any]:
        """Plain data under the keys that `fmnist compare --format json` prints."""
        compared = self.comparison
        return {
            **{
                name: {
                    "model": str(side.model),
                    "accuracy": compared.accuracy[position],
                    "accuracy_ci95": list(compared.accuracy_ci95[position]),
                    "seen_in_training": side.seen_in_training,
                }
                for position, (name, side) in enumerate((("a", self.a), ("b", self.b)))
            },
            "data": self.data,
            "is_drawn": self.is_drawn,
            "split": self.split,
            "n": compared.n,
            "difference": compared.difference,
            "difference_ci95": list(compared.difference_ci95),
            "only_a_right": compared.only_a_right,
            "only_b_right": compared.only_b_right,
            "mcnemar_p": compared.mcnemar_p,
            "mcnemar_test": "exact" if compared.mcnemar_is_exact else "chi-squared",
            "agreement": compared.agreement,
            "same_model": self.same_model,
            "n_differing": len(compared.differing),
            "differing": [self._differing(index) for index in compared.differing.tolist()],
        }

    def _differing(self, index: int) -> dict[str, Any]:
        """One image that the models put into different classes; `index`: its place in the split."""
        answers = {}
        for name, side in (("a", self.a), ("b", self.b)):
            row = side.probabilities[index]
            label = int(row.argmax())
            answers[name] = {
                "label": label,
                "class": CLASS_NAMES[label],
                "probability": float(row[label]),
            }
        label = int(self.labels[index])
        return {"index": index, "label": label, "class": CLASS_NAMES[label], **answers}


def duel(
    a: Classifier, b: Classifier, source: Source, split: Split, *, tta: bool = False
) -> ModelComparison:
    """Run two models over the same split; `val` is that of A.

    Raises as `fmnist_cli.evaluation.evaluation.judge`.
    """
    judged = read_split(source, split, a.trained_on)

    def side(classifier: Classifier) -> Side:
        seen = count_seen_in_training(judged.images, source, split, classifier)
        return Side(classifier.path, classifier(judged.images, tta=tta), seen)

    side_a, side_b = side(a), side(b)
    return ModelComparison(
        a=side_a,
        b=side_b,
        data=source.spec,
        is_drawn=source.is_drawn,
        split=split,
        labels=judged.labels,
        comparison=compare(judged.labels, side_a.probabilities, side_b.probabilities),
        same_model=filecmp.cmp(a.path, b.path, shallow=False),
    )
