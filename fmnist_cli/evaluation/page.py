"""One self-contained HTML page about an evaluation."""

import base64
import io
from dataclasses import dataclass
from importlib import resources
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fmnist_cli.checkpoints.metadata import ModelMetadata
from fmnist_cli.constants import CLASS_NAMES, VERSION
from fmnist_cli.evaluation.evaluation import Evaluation
from fmnist_cli.evaluation.figures import curves_svg, reliability_svg
from fmnist_cli.evaluation.history import find_history
from fmnist_cli.evaluation.model_card import as_text
from fmnist_cli.evaluation.scores import Interval, wilson_interval

WORST_ERRORS: Final = 50
MOST_AMBIGUOUS: Final = 20
_DETAILS: Final = (
    "model",
    "recipe",
    "metrics",
    "data",
    "preparation",
    "config",
    "versions",
    "created_at",
)


@dataclass(frozen=True, slots=True)
class ClassRow:
    """One class in the table of classes."""

    name: str
    precision: float
    recall: float
    recall_ci95: Interval
    """Wilson's; 0 to 1 where no image is of the class."""
    f1: float
    support: int


@dataclass(frozen=True, slots=True)
class Sample:
    """One judged image as the page shows it."""

    picture: str
    """A data: URL."""
    index: int
    """Place in the judged split, from 0, as in `--predictions`."""
    true: str
    true_probability: float
    predicted: str
    probability: float
    runner_up: str
    runner_up_probability: float


def render_page(evaluation: Evaluation) -> str:
    """Render an evaluation as HTML that loads nothing: styles, plots and pictures are inside.

    Raises DataError where the run folder beside the model holds a damaged history.
    """
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["percent"] = lambda share, digits=1: f"{share:.{digits}%}"
    template = resources.files(__package__).joinpath("page.html").read_text(encoding="utf-8")
    scores = evaluation.scores
    recorded = evaluation.metadata.to_json() if evaluation.metadata is not None else {}
    history = find_history(evaluation.model, evaluation.metadata)
    totals = scores.confusion_matrix.sum(axis=1, keepdims=True)
    errors, ambiguous = evaluation.worst_errors(), _most_ambiguous(evaluation)
    return environment.from_string(
        template
    ).render(
        evaluation=evaluation,
        origin=_origin(evaluation.metadata),
        scores=scores,
        classes=_class_rows(evaluation),
        class_names=CLASS_NAMES,
        confusion=list(
            zip(
                CLASS_NAMES,
                scores.confusion_matrix.tolist(),
                (scores.confusion_matrix / np.maximum(totals, 1)).tolist(),
                strict=True,
            )
        ),
        # The plots hold words of ours and numbers alone.
        curves={name: Markup(svg) for name, svg in curves_svg(history).items()}  # noqa: S704
        if history
        else None,
        reliability=Markup(reliability_svg(scores.calibration)),  # noqa: S704
        worst=[_sample(evaluation, index) for index in errors[:WORST_ERRORS]],
        ambiguous=[_sample(evaluation, index) for index in ambiguous],
        n_errors=len(errors),
        details=[(name, as_text(recorded[name])) for name in _DETAILS if name in recorded],
        version=VERSION,
    )


def _origin(metadata: ModelMetadata | None) -> list[str]:
    """What the model is, in a few words, as far as its file records it."""
    if metadata is None:
        return []
    parameters = metadata.network.parameters
    words = [
        ("network", metadata.network.name),
        ("recipe", metadata.recipe),
        ("parameters", None if parameters is None else f"{parameters:,}"),
    ]
    return [f"{name} {word}" for name, word in words if word is not None]


def _class_rows(evaluation: Evaluation) -> list[ClassRow]:
    rows = []
    for name, counts in zip(CLASS_NAMES, evaluation.scores.confusion_matrix, strict=True):
        entry = evaluation.scores.report[name]
        support, right = int(counts.sum()), int(counts[CLASS_NAMES.index(name)])
        interval = wilson_interval(right, support) if support else (0.0, 1.0)
        rows.append(
            ClassRow(
                name, entry["precision"], entry["recall"], interval, entry["f1-score"], support
            )
        )
    return rows


def _most_ambiguous(evaluation: Evaluation) -> NDArray[np.int64]:
    """Positions of the images whose two best classes are closest, right or wrong."""
    second, first = np.sort(evaluation.probabilities, axis=1)[:, -2:].T
    return np.argsort(first - second, kind="stable")[:MOST_AMBIGUOUS]


def _sample(evaluation: Evaluation, index: int) -> Sample:
    row = evaluation.probabilities[index]
    first, second = (int(label) for label in np.argsort(-row, kind="stable")[:2])
    true = int(evaluation.judged.labels[index])
    return Sample(
        picture=_picture_url(evaluation.judged.images[index]),
        index=int(index),
        true=CLASS_NAMES[true],
        true_probability=float(row[true]),
        predicted=CLASS_NAMES[first],
        probability=float(row[first]),
        runner_up=CLASS_NAMES[second],
        runner_up_probability=float(row[second]),
    )


def _picture_url(image: NDArray[np.uint8]) -> str:
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(image).save(stream, format="PNG")
    return "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode("ascii")
