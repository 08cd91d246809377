"""One self-contained HTML page about an evaluation."""

import base64
import io
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fmnist_cli.checkpoints.metadata import ModelMetadata
from fmnist_cli.constants import VERSION
from fmnist_cli.data.pictures import decode, draw_steps
from fmnist_cli.errors import DataError, FmnistError
from fmnist_cli.evaluation.description import as_text
from fmnist_cli.evaluation.evaluation import Evaluation
from fmnist_cli.evaluation.figures import LEGIBLE_CLASSES, curves_svg, reliability_svg
from fmnist_cli.evaluation.scores import wilson_interval
from fmnist_cli.runs.record import Epoch, read_history
from fmnist_cli.training.run_directory import HISTORY_FILE

WORST_ERRORS: Final = 50
MOST_AMBIGUOUS: Final = 20
_DETAILS: Final = (
    *("model", "recipe", "metrics", "data", "preparation", "config", "versions", "created_at"),
)


def render_page(evaluation: Evaluation) -> str:
    """Render an evaluation as HTML that embeds its styles, plots and images and loads nothing.

    Raises DataError if the run directory beside the model holds a damaged history.
    """
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["picture_url"] = _picture_url
    environment.filters["steps_url"] = _steps_url
    environment.filters["percent"] = lambda share, digits=1: f"{share:.{digits}%}"
    template = resources.files(__package__).joinpath("page.html").read_text(encoding="utf-8")
    scores = evaluation.scores
    matrix = scores.confusion_matrix
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    recorded = evaluation.metadata.to_json() if evaluation.metadata is not None else {}
    history = find_history(evaluation.model, evaluation.metadata)
    errors = evaluation.worst_errors()
    second, first = np.sort(evaluation.probabilities, axis=1)[:, -2:].T
    ambiguous = np.argsort(first - second, kind="stable")[:MOST_AMBIGUOUS]
    # The plots contain only labels of this program and numbers.
    curves = {name: Markup(svg) for name, svg in curves_svg(history).items()} if history else None  # noqa: S704
    return environment.from_string(
        template
    ).render(
        evaluation=evaluation,
        origin=_origin(evaluation.metadata),
        scores=scores,
        recall_ci95=[
            wilson_interval(int(counts[label]), int(counts.sum())) if counts.any() else (0.0, 1.0)
            for label, counts in enumerate(matrix)
        ],
        confusion=list(zip(scores.classes, matrix.tolist(), shares.tolist(), strict=True))
        if len(scores.classes) <= LEGIBLE_CLASSES
        else None,
        curves=curves,
        reliability=Markup(reliability_svg(scores.calibration)),  # noqa: S704
        worst=evaluation.samples(errors[:WORST_ERRORS]),
        ambiguous=evaluation.samples(ambiguous),
        n_errors=len(errors),
        details=[(name, as_text(recorded[name])) for name in _DETAILS if name in recorded],
        version=VERSION,
    )


def find_history(model: Path, metadata: ModelMetadata | None) -> list[Epoch]:
    """The rows of the `history.csv` of the run that made a model; empty if it is not found.

    Looks beside the model file and in the run directory that the file records. Raises DataError
    if the history is damaged.
    """
    if metadata is None or metadata.metrics is None:
        return []
    metrics = metadata.metrics
    best_epoch = (metrics.epoch, metrics.val_loss, metrics.val_accuracy)
    for folder in (model.parent, *([Path(metadata.run_dir)] if metadata.run_dir else [])):
        path = folder / HISTORY_FILE
        try:
            rows = (read_history(path) if path.is_file() else None) or []
        except OSError:
            continue
        except ValueError as error:
            raise DataError(f"'{path}' is not the history of a run: {error}") from None
        # Another run's history does not contain the epoch whose weights the model file holds.
        if any((row["epoch"], row["val_loss"], row["val_accuracy"]) == best_epoch for row in rows):
            return rows
    return []


def _origin(metadata: ModelMetadata | None) -> list[str]:
    """The model in a few words, as far as its file records it."""
    if metadata is None:
        return []
    parameters = metadata.network.parameters
    words = {
        "network": metadata.network.name,
        "recipe": metadata.recipe,
        "parameters": None if parameters is None else f"{parameters:,}",
    }
    return [f"{name} {word}" for name, word in words.items() if word is not None]


@cache
def _steps_url(path: Path) -> str:
    """A photo, the garment found in it, and the network's input; empty for any other picture."""
    try:
        if not decode(path).prepared:
            return ""
        steps = draw_steps(path)
    except FmnistError:  # the file has changed since it was read
        return ""
    stream = io.BytesIO()
    steps.save(stream, format="JPEG", quality=80)
    return "data:image/jpeg;base64," + base64.b64encode(stream.getvalue()).decode("ascii")


def _picture_url(image: NDArray[np.uint8]) -> str:
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(image).save(stream, format="PNG")
    return "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode("ascii")
