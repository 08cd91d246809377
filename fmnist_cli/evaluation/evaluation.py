"""A model judged on a split: from images to scores."""

import csv
import io
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fmnist_cli.checkpoints.metadata import ModelMetadata
from fmnist_cli.constants import CLASS_NAMES
from fmnist_cli.data.images import LabeledImages
from fmnist_cli.data.sources import Source
from fmnist_cli.evaluation.overlap import count_seen_in_training
from fmnist_cli.evaluation.scores import Scores, score
from fmnist_cli.evaluation.training_record import Split, read_split
from fmnist_cli.inference.classifier import Classifier


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What a model gave on a split, and what that is worth."""

    model: Path
    metadata: ModelMetadata | None
    """Of the model file."""
    data: str
    """As `--data` names it."""
    is_drawn: bool
    """Whether the package drew the images: the scores then say nothing of Fashion-MNIST."""
    split: Split
    tta: bool
    judged: LabeledImages
    probabilities: NDArray[np.float32]
    """[N, 10]."""
    scores: Scores
    seen_in_training: int | None
    """How many of the judged images training learnt from; None where that can't be told."""

    def as_dict(self) -> dict[str, Any]:
        """Plain data under the keys that `fmnist evaluate --format json` prints."""
        scores = self.scores
        return {
            "model": str(self.model),
            "data": self.data,
            "is_drawn": self.is_drawn,
            "split": self.split,
            "tta": self.tta,
            "n": scores.n,
            "accuracy": scores.accuracy,
            "accuracy_ci95": list(scores.accuracy_ci95),
            "loss": scores.loss,
            "ece": scores.ece,
            "report": scores.report,
            "confusion_matrix": scores.confusion_matrix.tolist(),
            "most_confused": [asdict(pair) for pair in scores.most_confused],
            "seen_in_training": self.seen_in_training,
        }

    def worst_errors(self) -> NDArray[np.int64]:
        """Positions of the mistakes, those whose true class got the least probability first."""
        labels = self.judged.labels
        wrong = np.flatnonzero(self.probabilities.argmax(axis=1) != labels)
        return wrong[np.argsort(self.probabilities[wrong, labels[wrong]], kind="stable")]

    def report_rows(self) -> list[list[Any]]:
        """scikit-learn's report as rows under a header; support is a whole number."""
        header = ["precision", "recall", "f1-score", "support"]
        rows: list[list[Any]] = [["class", *header]]
        for name, entry in self.scores.report.items():
            if name == "accuracy":  # stands under f1-score, as in scikit-learn's text
                rows.append([name, "", "", entry, self.scores.n])
            else:
                rows.append([name, *(entry[column] for column in header[:-1])])
                rows[-1].append(int(entry["support"]))
        return rows

    def report_csv(self) -> str:
        """scikit-learn's report as CSV."""
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(self.report_rows())
        return text.getvalue()

    def predictions_csv(self) -> str:
        """A row per judged image, in the split's order; floats keep all their digits."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        columns = ("index", "label", "class", "predicted_label", "predicted_class", "probability")
        writer.writerow([*columns, *(f"p{label}" for label in range(len(CLASS_NAMES)))])
        for index, (label, row) in enumerate(
            zip(self.judged.labels.tolist(), self.probabilities, strict=True)
        ):
            predicted = int(row.argmax())
            known = (index, label, CLASS_NAMES[label], predicted, CLASS_NAMES[predicted])
            writer.writerow([*known, row[predicted], *row])
        return text.getvalue()


def judge(
    classifier: Classifier, source: Source, split: Split = "test", *, tta: bool = False
) -> Evaluation:
    """Run a model over a split of labeled images and score it.

    tta: average each image and its mirror image. Raises what reading the data raises, UsageError
    if there is no such split.
    """
    judged = read_split(source, split, classifier.trained_on)
    probabilities = classifier(judged.images, tta=tta)
    return Evaluation(
        model=classifier.path,
        metadata=classifier.metadata,
        data=source.spec,
        is_drawn=source.is_drawn,
        split=split,
        tta=tta,
        judged=judged,
        probabilities=probabilities,
        scores=score(judged.labels, probabilities),
        seen_in_training=count_seen_in_training(judged.images, source, split, classifier),
    )
