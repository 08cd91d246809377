"""Predictions on stdout as a table, JSON lines, one JSON document or CSV, as they arrive."""

import csv
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from fmnist_cli.cli import console
from fmnist_cli.inference.answers import describe, rank, unicode

if TYPE_CHECKING:
    from rich.console import JustifyMethod
    from rich.table import Table

    from fmnist_cli.inference.predictor import Prediction

Batches: TypeAlias = "Iterable[list[Prediction]]"
Writer: TypeAlias = Callable[[Batches, Sequence[str], int], None]
"""Writes batches, given the names of the classes and how many of them to list."""

_MAX_WIDTH: Final = 30
"""Columns for the name of a class."""
_INPUT_WIDTH: Final = 40
"""Columns that long names of inputs get before other classes do."""


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
        for prediction in batch:
            ranked = rank(prediction, top_k)
            cells: list[Any] = [
                cell for label, share in ranked for cell in (label, classes[label], share)
            ]
            cells += [None] * (top_k * len(best) - len(cells))
            error = None if prediction.error is None else unicode(prediction.error)
            writer.writerow([unicode(prediction.name), *cells, error])


def _write_table(batches: Batches, classes: Sequence[str], top_k: int) -> None:
    """Draw a table batch by batch; the first one decides the widths, and names come last."""
    widths: list[int] = []
    for batch in batches:
        is_first = not widths
        widths = widths or _widths(batch, classes, top_k)
        table = _empty_table(widths, show_header=is_first)
        for prediction in batch:
            _add_row(table, prediction, rank(prediction, top_k), classes)
        console.show(table)


def _widths(batch: "Sequence[Prediction]", classes: Sequence[str], top_k: int) -> list[int]:
    """Columns for a class, its probability and, if there is room, for one or two more classes."""
    from rich.cells import cell_len

    screen = console.out().width
    name = min(
        max(map(cell_len, ["class", *map(console.literal, classes)])), _MAX_WIDTH, screen // 2
    )
    widths = [name, len("100.0%")]
    left = screen - sum(widths) - 2 * len("  ")
    longest = max((cell_len(console.literal(each.name)) for each in batch), default=0)
    for others in range(min(top_k - 1, 2), 0, -1):
        then = (name + len(" 50%")) * others + len(", ") * (others - 1)
        if left - then - len("  ") >= min(longest, _INPUT_WIDTH):
            return [*widths, then]
    return widths


def _empty_table(widths: Sequence[int], *, show_header: bool) -> "Table":
    from rich.table import Table

    table = Table(box=None, show_header=show_header, pad_edge=False, header_style="bold")
    for name, width in zip(("class", "prob.", "then"), widths, strict=False):
        justify: JustifyMethod = "right" if name == "prob." else "left"
        table.add_column(name, width=width, justify=justify, overflow="fold")
    table.add_column("input", overflow="fold")
    return table


def _add_row(
    table: "Table",
    prediction: "Prediction",
    ranked: list[tuple[int, float]],
    classes: Sequence[str],
) -> None:
    from rich.text import Text

    if not ranked:
        cells = [Text("error", "red"), Text(""), Text("")]
    else:
        (best, share), *others = ranked
        then = ", ".join(
            f"{console.literal(classes[label])} {share:.0%}" for label, share in others
        )
        cells = [Text(console.literal(classes[best]), "bold"), Text(f"{share:.1%}"), Text(then)]
    named = Text(console.literal(prediction.error or prediction.name))
    table.add_row(*cells[: len(table.columns) - 1], named)


WRITERS: Final[Mapping[str, Writer]] = {
    "table": _write_table,
    "jsonl": _write_jsonl,
    "json": _write_json,
    "csv": _write_csv,
}
