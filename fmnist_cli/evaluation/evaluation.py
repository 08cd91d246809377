"""A model evaluated on a split: from images to scores."""

import csv
import io
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from fmnist_cli.checkpoints.metadata import ModelMetadata
from fmnist_cli.constants import CLASS_NAMES
from fmnist_cli.data.class_names import ANY_FOOTWEAR, FOOTWEAR
from fmnist_cli.data.images import LabeledImages, count_seen, digest_images
from fmnist_cli.data.layouts import SAMPLE
from fmnist_cli.data.sources import Source, open_source
from fmnist_cli.evaluation.overlap import count_seen_in_training
from fmnist_cli.evaluation.samples import Sample
from fmnist_cli.evaluation.scores import Scores, score
from fmnist_cli.evaluation.training_record import Split, read_split
from fmnist_cli.inference.classifier import Classifier

_NEAR_CHANCE: Final = 2.0
"""Accuracy in multiples of chance below which a model has not recognized the images."""
_MIN_IMAGES: Final = 20
"""With fewer images, a low accuracy may be bad luck."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A model's probabilities on a split, and their scores."""

    model: Path
    metadata: ModelMetadata | None
    """Of the model file."""
    data: str
    """As `--data` names it."""
    is_sample: bool
    """Whether the images are the sample in the package."""
    split: Split
    tta: bool
    images: LabeledImages
    probabilities: NDArray[np.float32]
    """[N, K]."""
    scores: Scores
    seen_in_training: int | None
    """How many of the images the model was trained on; None if unknown."""
    any_footwear: int = 0
    """How many images have a label that any kind of footwear meets."""

    def as_dict(self) -> dict[str, Any]:
        """Plain data under the keys of `fmnist evaluate --format json`."""
        scores = self.scores
        return {
            "model": str(self.model),
            "data": self.data,
            "is_sample": self.is_sample,
            "split": self.split,
            "tta": self.tta,
            "n": scores.n,
            "accuracy": scores.accuracy,
            "accuracy_ci95": list(scores.accuracy_ci95),
            "loss": scores.loss,
            "ece": scores.calibration.error,
            "report": scores.report,
            "confusion_matrix": scores.confusion_matrix.tolist(),
            "most_confused": [asdict(pair) for pair in scores.most_confused],
            "seen_in_training": self.seen_in_training,
            "any_footwear": self.any_footwear,
        }

    def worst_errors(self) -> NDArray[np.int64]:
        """Positions of the errors, in ascending order of the true class's probability."""
        labels = self.images.labels
        wrong = np.flatnonzero(self.probabilities.argmax(axis=1) != labels)
        return wrong[np.argsort(self.probabilities[wrong, labels[wrong]], kind="stable")]

    def may_be_no_garments(self) -> bool:
        """Whether a model of garments is near chance on images that are not of Fashion-MNIST.

        The images are compared with the sample in the package: any larger part of Fashion-MNIST,
        such as Kaggle's files, shares some with it.
        """
        scores = self.scores
        is_near_chance = scores.accuracy < _NEAR_CHANCE / len(scores.classes)
        if scores.classes != CLASS_NAMES or scores.n < _MIN_IMAGES or not is_near_chance:
            return False
        sample = open_source(SAMPLE)
        train, test = sample.read("train").images, sample.read("test").images
        return not count_seen(self.images.images, digest_images(np.concatenate([train, test])))

    def samples(self, positions: NDArray[np.int64]) -> list[Sample]:
        """The images at these positions with their probabilities."""
        images, labels, paths = self.images.images, self.images.labels, self.images.paths
        return [
            Sample(
                images[index],
                index,
                int(labels[index]),
                self.scores.classes,
                self.probabilities[index],
                None if paths is None else paths[index],
            )
            for index in positions.tolist()
        ]

    def report_rows(self) -> list[list[Any]]:
        """scikit-learn's report as a header and rows; support is an integer."""
        columns = ["precision", "recall", "f1-score"]
        rows: list[list[Any]] = [["class", *columns, "support"]]
        for name, entry in self.scores.report.items():
            if name == "accuracy":  # in the column f1-score, as in scikit-learn's text
                rows.append([name, "", "", entry, self.scores.n])
            else:
                rows.append([name, *(entry[column] for column in columns), int(entry["support"])])
        return rows

    def report_csv(self) -> str:
        """scikit-learn's report as CSV."""
        return _as_csv(self.report_rows())

    def predictions_csv(self) -> str:
        """CSV with a row per image, in the order of the split; floats keep all their digits."""
        classes = self.scores.classes
        header = ["index", "label", "class", "predicted_label", "predicted_class", "probability"]
        paths = self.images.paths
        shares = [f"p{label}" for label in range(len(classes))]
        rows: list[list[Any]] = [[*header, *shares, *(["path"] if paths else [])]]
        for index, (label, row) in enumerate(
            zip(self.images.labels.tolist(), self.probabilities, strict=True)
        ):
            predicted = int(row.argmax())
            names = (index, label, classes[label], predicted, classes[predicted])
            rows.append([*names, row[predicted], *row, *([paths[index]] if paths else [])])
        return _as_csv(rows)


def evaluate(
    classifier: Classifier, source: Source, split: Split = "test", *, tta: bool = False
) -> Evaluation:
    """Classify the images of a split and score the result.

    tta: average over each image and its mirror image.
    Raises UsageError if there is no such split, and the errors of reading it.
    """
    images = read_split(source, split, classifier, any_footwear=True)
    probabilities = classifier(images.images, tta=tta)
    any_footwear = int((images.labels == ANY_FOOTWEAR).sum())
    if any_footwear:
        labels = _kind_of_footwear(images.labels, probabilities)
        images = LabeledImages(images.images, labels, images.classes, images.paths)
    return Evaluation(
        model=classifier.path,
        metadata=classifier.metadata,
        data=source.spec,
        is_sample=source.is_sample,
        split=split,
        tta=tta,
        images=images,
        probabilities=probabilities,
        scores=score(images.labels, probabilities, classifier.classes),
        seen_in_training=count_seen_in_training(images.images, source, split, classifier),
        any_footwear=any_footwear,
    )


def _kind_of_footwear(
    labels: NDArray[np.int64], probabilities: NDArray[np.float32]
) -> NDArray[np.int64]:
    """Replace ANY_FOOTWEAR by the most probable kind: whichever is predicted is right."""
    kinds = np.array(sorted(FOOTWEAR))
    most_probable = kinds[probabilities[:, kinds].argmax(axis=1)]
    return np.where(labels == ANY_FOOTWEAR, most_probable, labels)


def _as_csv(rows: list[list[Any]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()
