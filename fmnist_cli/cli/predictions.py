"""Predictions on stdout: a table, JSON lines, one JSON document or CSV, each as answers come."""

import csv
import json
import sys
from collections.abc import Callable, Iterable, Mapping
from json.encoder import encode_basestring
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from fmnist_cli.cli import console
from fmnist_cli.facts import CLASS_NAMES

if TYPE_CHECKING:
    from rich.table import Table

    from fmnist_cli.inference.classifier import Probabilities
    from fmnist_cli.inference.predictor import Prediction

Batches: TypeAlias = "Iterable[list[Prediction]]"
Writer: TypeAlias = Callable[[Batches, int], None]

_DECIMALS: Final = 6
"""Further digits of a probability depend on the machine."""

_LABELS: Final = range(len(CLASS_NAMES))
_CLASS: Final = tuple(
    f'"label": {label}, "class": {json.dumps(name)}, "probability": '
    for label, name in enumerate(CLASS_NAMES)
)
"""How JSON speaks of each class, up to the number."""


def as_json(prediction: "Prediction", top_k: int) -> str:
    """One answer as a JSON object: the most probable classes first, ties in order of label.

    Put together from ready parts: making a dictionary and encoding it takes twice as long.
    """
    name = _quoted(prediction.name)
    if prediction.probabilities is None:
        return f'{{"input": {name}, "error": {_quoted(prediction.error or "")}}}'
    # A float's repr is its JSON form, but for those that are not finite: no classifier gives them.
    top = [f"{_CLASS[label]}{share!r}" for label, share in _top(prediction.probabilities, top_k)]
    return f'{{"input": {name}, {top[0]}, "top": [{{{"}, {".join(top)}}}]}}'


def _quoted(text: str) -> str:
    return encode_basestring(_unicode(text))


def _top(probabilities: "Probabilities", top_k: int) -> list[tuple[int, float]]:
    """The most probable labels with their probabilities."""
    values: list[float] = probabilities.tolist()
    labels = sorted(_LABELS, key=values.__getitem__, reverse=True)[:top_k]  # ties keep order
    return [(label, round(values[label], _DECIMALS)) for label in labels]


def _write_jsonl(batches: Batches, top_k: int) -> None:
    for batch in batches:
        console.result("\n".join([as_json(prediction, top_k) for prediction in batch]))


def _write_json(batches: Batches, top_k: int) -> None:
    """Write one list; its items are written as they come."""
    before = "[\n"
    for batch in batches:
        for prediction in batch:
            sys.stdout.write(f"{before}  {as_json(prediction, top_k)}")
            before = ",\n"
    sys.stdout.write("[]\n" if before == "[\n" else "\n]\n")


def _write_csv(batches: Batches, top_k: int) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    best = ("label", "class", "probability")
    others = [f"{name}_{rank}" for rank in range(2, top_k + 1) for name in best]
    writer.writerow(["input", *best, *others, "error"])
    for batch in batches:
        for prediction in batch:
            if prediction.probabilities is None:
                cells: list[Any] = [None] * top_k * len(best)
            else:
                top = _top(prediction.probabilities, top_k)
                cells = [
                    cell for label, share in top for cell in (label, CLASS_NAMES[label], share)
                ]
            error = None if prediction.error is None else _unicode(prediction.error)
            writer.writerow([_unicode(prediction.name), *cells, error])


def _write_table(batches: Batches, top_k: int) -> None:
    """Draw a table batch by batch; names stand last, because their widths are not known before."""
    is_first = True
    for batch in batches:
        table = _empty_table(top_k, show_header=is_first)
        is_first = False
        for prediction in batch:
            _add_row(table, prediction, top_k)
        console.show(table)


def _empty_table(top_k: int, *, show_header: bool) -> "Table":
    from rich.table import Table

    width = max(map(len, CLASS_NAMES))
    table = Table(box=None, show_header=show_header, pad_edge=False, header_style="bold")
    table.add_column("class", width=width)
    table.add_column("prob.", width=len("100.0%"), justify="right")
    if top_k > 1:
        table.add_column("then", width=(width + len(" 50%")) * min(top_k - 1, 2) + 2)
    table.add_column("input", overflow="fold")
    return table


def _add_row(table: "Table", prediction: "Prediction", top_k: int) -> None:
    from rich.text import Text

    if prediction.probabilities is None:
        cells = [Text("error", "red"), Text(""), Text("")]
        end = prediction.error or ""
    else:
        (best, share), *others = _top(prediction.probabilities, top_k)
        then = ", ".join(f"{CLASS_NAMES[label]} {share:.0%}" for label, share in others)
        cells = [Text(CLASS_NAMES[best], "bold"), Text(f"{share:.1%}"), Text(then)]
        end = prediction.name
    table.add_row(*cells[: 3 if top_k > 1 else 2], Text(console.literal(end)))


def _unicode(text: str) -> str:
    """The text with bytes of a path that are not UTF-8 spelled out, as no JSON can hold them."""
    return text.encode("utf-8", "backslashreplace").decode()


WRITERS: Final[Mapping[str, Writer]] = {
    "table": _write_table,
    "jsonl": _write_jsonl,
    "json": _write_json,
    "csv": _write_csv,
}
