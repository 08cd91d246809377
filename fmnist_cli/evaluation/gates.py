"""`--min METRIC=VALUE`: scores that a model has to reach."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

from fmnist_cli.constants import CLASS_NAMES
from fmnist_cli.errors import GateMissed, UsageError
from fmnist_cli.evaluation.scores import Scores

_REPORT_COLUMNS: Final = {"precision": "precision", "recall": "recall", "f1": "f1-score"}
_REPORT_ROWS: Final = {
    **{f"_{average}": f"{average} avg" for average in ("macro", "weighted")},
    **{f"[{name}]": name for name in CLASS_NAMES},
}
_CELLS: Final = {
    column + row: (_REPORT_ROWS[row], _REPORT_COLUMNS[column])
    for row in _REPORT_ROWS
    for column in _REPORT_COLUMNS
}
METRICS: Final = ("accuracy", *_CELLS)
"""Averages go by scikit-learn's names, such as f1_macro; classes in brackets: recall[Shirt]."""
_EXPECTED: Final = "expected METRIC=VALUE, as in accuracy=0.92, f1_macro=0.9 or recall[Shirt]=0.75"


@dataclass(frozen=True, slots=True)
class Gate:
    """A metric and the least value that it has to have."""

    metric: str
    least: float

    def measure(self, scores: Scores) -> float:
        """The metric's value."""
        if self.metric == "accuracy":
            return scores.accuracy
        row, column = _CELLS[self.metric]
        return float(scores.report[row][column])


def parse(text: str) -> Gate:
    """Read METRIC=VALUE. Raises UsageError for an unknown metric or a value outside 0..1."""
    metric, _, value = text.rpartition("=")
    if metric not in METRICS:
        by_lower_case = {name.lower(): name for name in METRICS}
        near = get_close_matches(metric.lower(), by_lower_case, n=1)
        hint = f"did you mean '{by_lower_case[near[0]]}'?" if near else _EXPECTED
        raise UsageError(f"--min '{text}' names no metric; {hint}")
    try:
        least = float(value)
    except ValueError:
        least = float("nan")
    if not 0.0 <= least <= 1.0:
        raise UsageError(f"--min '{text}': expected a number from 0 to 1 after the '='")
    return Gate(metric, least)


def check(gates: Iterable[Gate], scores: Scores) -> None:
    """Raise GateMissed, naming each metric that is below its gate."""
    missed = [
        f"{gate.metric} is {value:.6g}, below the {gate.least:g} that --min asks for"
        for gate in gates
        if (value := gate.measure(scores)) < gate.least
    ]
    if missed:
        raise GateMissed("; ".join(missed))
