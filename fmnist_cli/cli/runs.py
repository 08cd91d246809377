"""`fmnist runs`: compare training runs."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fmnist_cli.cli import console, options
from fmnist_cli.cli.tables import points, show_table

if TYPE_CHECKING:
    from fmnist_cli.runs.groups import Group, PairedDifference
    from fmnist_cli.runs.record import RunRecord

_RUN_KEYS = (
    *("name", "run_dir", "recipe", "seed", "epochs", "val_accuracy", "best_epoch", "seconds"),
    *("images_per_second", "state"),
)
_GROUP_KEYS = (
    *("recipe", "n", "val_accuracy", "ci95_low", "ci95_high", "seconds", "images_per_second"),
)

_TEXTS = ("name", "recipe", "options")
"""Columns of text in a table; all others are figures."""
_DISPENSABLE = ("img/s", "sec", "recipe", "state", "epochs", "95% interval")
"""Columns that a narrow terminal leaves out, in this order."""


def runs(
    folders: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="DIR",
            help="Run directories, or directories that contain them.",
            show_default="runs",
        ),
    ] = None,
    group: Annotated[
        bool,
        typer.Option(
            "--group",
            help="Join finished runs that differ only in their seed: mean and 95% interval; "
            "two groups are compared seed by seed.",
        ),
    ] = False,
    where: Annotated[
        list[str] | None,
        typer.Option(
            metavar="OPTION=VALUE",
            help="Show only these runs, such as recipe=fast or state=finished; repeatable.",
        ),
    ] = None,
    sort: Annotated[
        str,
        typer.Option(
            metavar="COLUMN",
            help="name, recipe, epochs, val_accuracy, seconds, images_per_second, state, or an "
            "option; accuracy and speed: best first.",
        ),
    ] = "name",
    curves: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Plot the learning curves as .png, .svg or .html; with --group, the mean of "
            "each group and its range.",
        ),
    ] = None,
    format_: options.TableJsonOrCsv = "table",
) -> None:
    """Compare training runs: options, accuracy, time."""
    from fmnist_cli.runs import record
    from fmnist_cli.runs.curves import check_format
    from fmnist_cli.runs.groups import group_by_options, paired_difference
    from fmnist_cli.training.run_directory import RUNS_FOLDER

    if curves is not None:
        check_format(curves)
    found, errors = record.find_runs(folders or [RUNS_FOLDER])
    skipped = list(map(str, errors))
    for reason in skipped:
        console.warn(reason)
    shown = record.sort(record.select(found, where or ()), sort)
    if not shown:
        console.note("no runs" if not found else f"none of {len(found):,} runs meets --where")
    if group:
        finished = [run for run in shown if run.state == "finished"]
        if len(finished) < len(shown):
            console.note(
                f"left out, not finished: {len(shown) - len(finished):,} of {len(shown):,}"
            )
        shown = finished
    groups = group_by_options(shown) if group else []
    varied = record.differing_options(shown, without=["seed"] if group else ())
    chosen = record.beyond_recipes(shown, varied)
    if curves is not None:
        _write_curves(curves, shown, groups, chosen)
    if not group:
        rows = [_run_as_json(run, varied) for run in shown]
        document = {"differing": varied, "runs": rows, "skipped": skipped}
        _print(document, rows, [_run_cells(run, chosen) for run in shown], format_)
        return
    rows = [_group_as_json(each, varied) for each in groups]
    difference = paired_difference(groups[0], groups[1]) if len(groups) == 2 else None
    as_json = _difference_as_json(difference)
    document = {"differing": varied, "groups": rows, "difference": as_json, "skipped": skipped}
    _print(document, rows, [_group_cells(each, chosen) for each in groups], format_)
    if difference is not None and format_ == "table":
        _show_difference(difference)


def _print(
    document: dict[str, Any],
    rows: Sequence[dict[str, Any]],
    table: Sequence[dict[str, str]],
    format_: str,
) -> None:
    """Print the document as JSON, its rows as CSV, or the table: cells by column."""
    if format_ == "json":
        console.print_json(document)
    elif format_ == "csv":
        columns = _RUN_KEYS if "runs" in document else _GROUP_KEYS
        _print_csv(rows, [*columns, *document["differing"]])
    elif table:
        header = [name for name in table[0] if name != "options" or any(row[name] for row in table)]
        cells = [[row[name] for name in header] for row in table]
        texts = sum(name in _TEXTS for name in header)
        show_table(header, cells, text_columns=texts, dispensable=_DISPENSABLE)


def _run_as_json(run: "RunRecord", varied: Sequence[str]) -> dict[str, Any]:
    return {
        "name": run.name,
        "run_dir": str(run.path),
        "recipe": run.recipe,
        "seed": run.seed,
        "epochs": run.epochs,
        "val_accuracy": run.val_accuracy,
        "best_epoch": None if run.best is None else int(run.best["epoch"] or 0),
        "seconds": run.seconds,
        "images_per_second": run.images_per_second,
        "state": run.state,
        "options": {name: run.options.get(name) for name in varied},
    }


def _run_cells(run: "RunRecord", chosen: Sequence[str]) -> dict[str, str]:
    return {
        "name": run.name,
        "recipe": run.recipe,
        "options": _describe(run, chosen),
        "epochs": f"{run.epochs}/{run.options['epochs']}",
        "val acc": _percent(run.val_accuracy),
        "sec": _rounded(run.seconds),
        "img/s": _rounded(run.images_per_second),
        "state": run.state,
    }


def _group_as_json(group: "Group", varied: Sequence[str]) -> dict[str, Any]:
    return {
        "recipe": group.runs[0].recipe,
        "n": len(group.seeds),
        "seeds": group.seeds,
        "runs": [run.name for run in group.runs],
        "val_accuracy": group.val_accuracy.mean,
        "val_accuracy_ci95": group.val_accuracy.ci95,
        "seconds": group.seconds,
        "images_per_second": group.images_per_second,
        "options": {name: group.runs[0].options.get(name) for name in varied},
    }


def _group_cells(group: "Group", chosen: Sequence[str]) -> dict[str, str]:
    return {
        "recipe": group.runs[0].recipe,
        "options": _describe(group.runs[0], chosen),
        "n": str(len(group.seeds)),
        "val acc": _percent(group.val_accuracy.mean),
        "95% interval": " to ".join(map(_percent, group.val_accuracy.ci95 or ())),
        "sec": _rounded(group.seconds),
        "img/s": _rounded(group.images_per_second),
    }


def _difference_as_json(difference: "PairedDifference | None") -> dict[str, Any] | None:
    if difference is None:
        return None
    estimate = difference.estimate
    return {
        "n": estimate.n,
        "seeds": difference.seeds,
        "val_accuracy": estimate.mean,
        "val_accuracy_ci95": estimate.ci95,
    }


def _show_difference(difference: "PairedDifference") -> None:
    estimate = difference.estimate
    if estimate.mean is None:
        console.note("the two groups have no seed in common: no paired difference")
        return
    text = points(estimate.mean, estimate.ci95)
    console.result(f"\nsecond - first, by seed: {text}, n = {estimate.n}")


def _write_curves(
    path: Path, shown: "Sequence[RunRecord]", groups: "Sequence[Group]", varied: Sequence[str]
) -> None:
    from fmnist_cli.files import atomic_write
    from fmnist_cli.runs.curves import Curve, draw
    from fmnist_cli.runs.groups import Group

    curves = [] if groups else [Curve.of(Group([run]), run.name) for run in shown]
    for group in groups:
        n = len(group.runs)
        label = _label(group, groups, varied)
        curves.append(Curve.of(group, label, f"{n} run{'' if n == 1 else 's'}"))
    with atomic_write(path) as temporary:
        temporary.write_bytes(draw(curves, path))
    console.note(f"learning curves: {path}")


def _label(group: "Group", groups: "Sequence[Group]", varied: Sequence[str]) -> str:
    """The recipe, and the options whose value most groups do not share."""
    run = group.runs[0]
    own = [
        name
        for name in varied
        if sum(other.runs[0].options.get(name) == run.options.get(name) for other in groups) * 2
        <= len(groups)
    ]
    return f"{run.recipe} {_describe(run, own)}".strip()


def _print_csv(rows: Sequence[dict[str, Any]], columns: Sequence[str]) -> None:
    names = dict.fromkeys(columns)  # the seed may be a column and an option that differs
    console.print_csv([names])
    for row in rows:
        low, high = row.get("val_accuracy_ci95") or (None, None)
        cells = {**row["options"], **row, "ci95_low": low, "ci95_high": high}
        console.print_csv([[cells[name] for name in names]])


def _describe(run: "RunRecord", names: Sequence[str]) -> str:
    """A run's values of options, without those that neither it nor its recipe sets."""
    from fmnist_cli.runs.record import as_text, is_recipes

    values = {name: run.options.get(name) for name in names}
    return ", ".join(
        f"{name} {as_text(value) or '-'}"
        for name, value in values.items()
        if not (value is None or value is False) or not is_recipes(run, name)
    )


def _percent(share: float | None) -> str:
    return "" if share is None else f"{share:.2%}"


def _rounded(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f}"
