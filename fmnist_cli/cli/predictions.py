"""Predictions on stdout as a table, JSON lines, one JSON document or CSV, as they arrive."""

import csv
import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np

from fmnist_cli.cli import console
from fmnist_cli.constants import CLASS_NAMES, NUM_CLASSES

if TYPE_CHECKING:
    from rich.table import Table

    from fmnist_cli.inference.predictor import Prediction

Batches: TypeAlias = "Iterable[list[Prediction]]"
Writer: TypeAlias = Callable[[Batches, int], None]

_DECIMALS: Final = 6
"""Further digits of a probability depend on the machine."""


def as_json(batch: Sequence["Prediction"], top_k: int) -> list[str]:
    """Each prediction as a JSON object: the most probable classes first, ties by label."""
    lines = []
    for prediction, ranked in zip(batch, _rank(batch, top_k), strict=True):
        line: dict[str, Any] = {"input": _unicode(prediction.name)}
        if prediction.picture is None:
            line["error"] = _unicode(prediction.error or "")
        else:
            top = [
                {"label": label, "class": CLASS_NAMES[label], "probability": share}
                for label, share in ranked
            ]
            line |= {**top[0], "top": top, "photo": prediction.picture.prepared}
        lines.append(json.dumps(line, ensure_ascii=False))
    return lines


def _rank(batch: Sequence["Prediction"], top_k: int) -> list[list[tuple[int, float]]]:
    """Each prediction's most probable labels with their probabilities; none for an error.

    All in one go: sorting and rounding row by row takes three times as long.
    """
    rows = [one.probabilities for one in batch if one.probabilities is not None]
    values = np.stack(rows) if rows else np.empty((0, NUM_CLASSES), np.float32)
    labels = np.argsort(-values, axis=1, kind="stable")[:, :top_k]  # ties keep order
    shares = np.take_along_axis(values, labels, axis=1).astype(np.float64)
    # A float32 times a million is exact in 53 bits: this is what `round` gives.
    rounded = np.rint(shares * 10**_DECIMALS) / 10**_DECIMALS
    ranked = map(list, map(zip, labels.tolist(), rounded.tolist()))
    return [[] if one.probabilities is None else next(ranked) for one in batch]


def _write_jsonl(batches: Batches, top_k: int) -> None:
    for batch in batches:
        console.result("\n".join(as_json(batch, top_k)))


def _write_json(batches: Batches, top_k: int) -> None:
    """Write one list, item by item."""
    before = "[\n"
    for batch in batches:
        for line in as_json(batch, top_k):
            sys.stdout.write(f"{before}  {line}")
            before = ",\n"
    sys.stdout.write("[]\n" if before == "[\n" else "\n]\n")


def _write_csv(batches: Batches, top_k: int) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    best = ("label", "class", "probability")
    others = [f"{name}_{rank}" for rank in range(2, top_k + 1) for name in best]
    writer.writerow(["input", *best, *others, "error"])
    for batch in batches:
        for prediction, ranked in zip(batch, _rank(batch, top_k), strict=True):
            cells: list[Any] = [
                cell for label, share in ranked for cell in (label, CLASS_NAMES[label], share)
            ]
            cells += [None] * (top_k * len(best) - len(cells))
            error = None if prediction.error is None else _unicode(prediction.error)
            writer.writerow([_unicode(prediction.name), *cells, error])


def _write_table(batches: Batches, top_k: int) -> None:
    """Draw a table batch by batch; names come last, because their widths are unknown."""
    is_first = True
    for batch in batches:
        table = _empty_table(top_k, show_header=is_first)
        is_first = False
        for prediction, ranked in zip(batch, _rank(batch, top_k), strict=True):
            _add_row(table, prediction, ranked, top_k)
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


def _add_row(
    table: "Table", prediction: "Prediction", ranked: list[tuple[int, float]], top_k: int
) -> None:
    from rich.text import Text

    if not ranked:
        cells = [Text("error", "red"), Text(""), Text("")]
        end = prediction.error or ""
    else:
        (best, share), *others = ranked
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
