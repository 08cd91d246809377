"""`--min METRIC=VALUE`: scores that a model must reach."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from fmnist_cli.errors import GateMissed, UsageError, did_you_mean
from fmnist_cli.evaluation.scores import Scores

_COLUMNS: Final = {"precision": "precision", "recall": "recall", "f1": "f1-score"}
"""Columns of scikit-learn's report by the names that gates use."""
_AVERAGES: Final = {
    f"{column}_{average}": (f"{average} avg", _COLUMNS[column])
    for average in ("macro", "weighted")
    for column in _COLUMNS
}
_EXPECTED: Final = "expected METRIC=VALUE, as in accuracy=0.92, f1_macro=0.9 or recall[Shirt]=0.75"


@dataclass(frozen=True, slots=True)
class Gate:
    """A metric and its minimum."""

    metric: str
    """accuracy, an average such as f1_macro, or a score of one class such as recall[Shirt]."""
    minimum: float

    def measure(self, scores: Scores) -> float:
        """The metric's value."""
        if self.metric == "accuracy":
            return scores.accuracy
        row, column = _AVERAGES.get(self.metric) or _split(self.metric)
        return float(scores.report[row][column])

    def check_class(self, classes: Sequence[str]) -> None:
        """Raise UsageError if the metric names a class that is not one of `classes`."""
        if "[" not in self.metric:
            return
        name, _ = _split(self.metric)
        if name not in classes:
            hint = did_you_mean(name, classes) or f"; expected one of {', '.join(classes)}"
            raise UsageError(f"--min '{self.metric}': the model has no class '{name}'{hint}")


def _split(metric: str) -> tuple[str, str]:
    """Split COLUMN[CLASS] into class and column of scikit-learn's report."""
    column, _, name = metric.removesuffix("]").partition("[")
    return name, _COLUMNS[column]


def parse(text: str) -> Gate:
    """Read METRIC=VALUE. Raises UsageError for an unknown metric or a value outside 0 to 1.

    Which classes exist is known only once the model is loaded: see `Gate.check_class`.
    """
    metric, _, value = text.rpartition("=")
    column, bracket, _ = metric.partition("[")
    is_of_class = bracket and column in _COLUMNS and metric.endswith("]")
    if not is_of_class and metric not in ("accuracy", *_AVERAGES):
        hint = did_you_mean(metric.lower(), ("accuracy", *_AVERAGES)) or f"; {_EXPECTED}"
        raise UsageError(f"--min '{text}' names no metric{hint}")
    try:
        minimum = float(value)
    except ValueError:
        minimum = float("nan")
    if not 0.0 <= minimum <= 1.0:
        raise UsageError(f"--min '{text}': expected a number from 0 to 1 after the '='")
    return Gate(metric, minimum)


def check(gates: Iterable[Gate], scores: Scores) -> None:
    """Raise GateMissed, naming each metric that is below its minimum."""
    missed = [
        f"{gate.metric} is {value:.6g}, below the required {gate.minimum:g}"
        for gate in gates
        if (value := gate.measure(scores)) < gate.minimum
    ]
    if missed:
        raise GateMissed("; ".join(missed))
