"""`--min METRIC=VALUE`: scores that a model must reach."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from fmnist_cli.errors import GateMissed, UsageError, did_you_mean
from fmnist_cli.evaluation.scores import Scores

_COLUMNS: Final = {"precision": "precision", "recall": "recall", "f1": "f1-score"}
"""Columns of scikit-learn's report by the names that gates use."""
_METRICS: Final = {"accuracy": ("", "")} | {
    f"{column}_{average}": (f"{average} avg", _COLUMNS[column])
    for average in ("macro", "weighted")
    for column in _COLUMNS
}
"""Row and column of the report by metric; accuracy is in none of the columns."""
_EXPECTED: Final = "expected METRIC=VALUE, as in accuracy=0.92, f1_macro=0.9 or recall[Shirt]=0.75"


@dataclass(frozen=True, slots=True)
class Gate:
    """A metric and its minimum."""

    metric: str
    """accuracy, an average such as f1_macro, or a score of one class such as recall[Shirt]."""
    minimum: float
    row: str
    """Of scikit-learn's report: a class or an average."""
    column: str

    def measure(self, scores: Scores) -> float:
        """The metric's value."""
        if self.metric == "accuracy":
            return scores.accuracy
        return float(scores.report[self.row][self.column])

    def check_class(self, classes: Sequence[str]) -> None:
        """Raise UsageError if the metric names a class that is not one of `classes`."""
        name = self.row
        if self.metric not in _METRICS and name not in classes:
            hint = did_you_mean(name, classes) or f"; expected one of {', '.join(classes)}"
            raise UsageError(f"--min '{self.metric}': the model has no class '{name}'{hint}")


def parse(text: str) -> Gate:
    """Read METRIC=VALUE. Raises UsageError for an unknown metric or a value outside 0 to 1.

    Which classes exist is known only once the model is loaded: see `Gate.check_class`.
    """
    metric, _, value = text.rpartition("=")
    column, bracket, name = metric.partition("[")
    if bracket and column in _COLUMNS and metric.endswith("]"):
        row, column = name[:-1], _COLUMNS[column]
    elif metric in _METRICS:
        row, column = _METRICS[metric]
    else:
        hint = did_you_mean(metric.lower(), _METRICS) or f"; {_EXPECTED}"
        raise UsageError(f"--min '{text}' names no metric{hint}")
    try:
        minimum = float(value)
    except ValueError:
        minimum = float("nan")
    if not 0.0 <= minimum <= 1.0:
        raise UsageError(f"--min '{text}': expected a number from 0 to 1 after the '='")
    return Gate(metric, minimum, row, column)


def check(gates: Iterable[Gate], scores: Scores) -> None:
    """Raise GateMissed, naming each metric that is below its minimum."""
    missed = [
        f"{gate.metric} is {value:.6g}, below the required {gate.minimum:g}"
        for gate in gates
        if (value := gate.measure(scores)) < gate.minimum
    ]
    if missed:
        raise GateMissed("; ".join(missed))
