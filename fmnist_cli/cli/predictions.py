"""Predictions on stdout as a table, JSON lines, one JSON document or CSV, as they arrive."""

import csv
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from fmnist_cli.cli import console
from fmnist_cli.inference.answers import describe, rank, unicode

if TYPE_CHECKING:
    from rich.table import Table

    from fmnist_cli.inference.predictor import Prediction

Batches: TypeAlias = "Iterable[list[Prediction]]"
Writer: TypeAlias = Callable[[Batches, Sequence[str], int], None]
"""Writes batches, given the names of the classes and how many of them to list."""

_MAX_WIDTH: Final = 30
"""Columns for the name of a class."""


def _write_jsonl(batches: Batches, classes: Sequence[str], top_k: int) -> None:
    for batch in batches:
        console.result("\n".join(map(_as_json, describe(batch, classes, top_k))))


def _as_json(answer: dict[str, Any]) -> str:
    return json.dumps(answer, ensure_ascii=False)


def _write_json(batches: Batches, classes: Sequence[str], top_k: int) -> None:
    """Write one list, item by item."""
    before = "[\n"
    for batch in batches:
        for answer in describe(batch, classes, top_k):
            console.results().write(f"{before}  {_as_json(answer)}")
            before = ",\n"
    console.results().write("[]\n" if before == "[\n" else "\n]\n")


def _write_csv(batches: Batches, classes: Sequence[str], top_k: int) -> None:
    writer = csv.writer(console.results(), lineterminator="\n")
    top_k = min(top_k, len(classes))
    best = ("label", "class", "probability")
    others = [f"{name}_{place}" for place in range(2, top_k + 1) for name in best]
    writer.writerow(["input", *best, *others, "error"])
    for batch in batches:
        for prediction, ranked in zip(batch, rank(batch, top_k), strict=True):
            cells: list[Any] = [
                cell for label, share in ranked for cell in (label, classes[label], share)
            ]
            cells += [None] * (top_k * len(best) - len(cells))
            error = None if prediction.error is None else unicode(prediction.error)
            writer.writerow([unicode(prediction.name), *cells, error])


def _write_table(batches: Batches, classes: Sequence[str], top_k: int) -> None:
    """Draw a table batch by batch; names come last, because their widths are unknown."""
    is_first = True
    for batch in batches:
        table = _empty_table(classes, top_k, show_header=is_first)
        is_first = False
        for prediction, ranked in zip(batch, rank(batch, top_k), strict=True):
            _add_row(table, prediction, ranked, classes, top_k)
        console.show(table)


def _empty_table(classes: Sequence[str], top_k: int, *, show_header: bool) -> "Table":
    from rich.cells import cell_len
    from rich.table import Table

    width = min(max(map(cell_len, map(console.literal, classes))), _MAX_WIDTH)
    table = Table(box=None, show_header=show_header, pad_edge=False, header_style="bold")
    table.add_column("class", width=width)
    table.add_column("prob.", width=len("100.0%"), justify="right")
    if top_k > 1:
        table.add_column("then", width=(width + len(" 50%")) * min(top_k - 1, 2) + 2)
    table.add_column("input", overflow="fold")
    return table


def _add_row(
    table: "Table",
    prediction: "Prediction",
    ranked: list[tuple[int, float]],
    classes: Sequence[str],
    top_k: int,
) -> None:
    from rich.text import Text

    if not ranked:
        cells = [Text("error", "red"), Text(""), Text("")]
        end = prediction.error or ""
    else:
        (best, share), *others = ranked
        then = ", ".join(
            f"{console.literal(classes[label])} {share:.0%}" for label, share in others
        )
        cells = [Text(console.literal(classes[best]), "bold"), Text(f"{share:.1%}"), Text(then)]
        end = prediction.name
    table.add_row(*cells[: 3 if top_k > 1 else 2], Text(console.literal(end)))


WRITERS: Final[Mapping[str, Writer]] = {
    "table": _write_table,
    "jsonl": _write_jsonl,
    "json": _write_json,
    "csv": _write_csv,
}
