"""`fmnist runs`: compare training runs."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fmnist_cli.cli import console, options
from fmnist_cli.cli.tables import show_table

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

_DISPENSABLE = ("img/s", "sec", "recipe", "state", "epochs", "95% interval")
"""Columns that a narrow terminal leaves out, in this order."""


def runs(
    folders: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[DIR…]",
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
            "--where",
            metavar="OPTION=VALUE",
            help="Show only these runs, such as recipe=fast or state=finished; repeatable.",
        ),
    ] = None,
    sort: Annotated[
        str,
        typer.Option(
            "--sort",
            metavar="COLUMN",
            help="name, recipe, epochs, val_accuracy, seconds, images_per_second, state, or an "
            "option; accuracy and speed: best first.",
        ),
    ] = "name",
    curves: Annotated[
        Path | None,
        typer.Option(
            "--curves",
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
    from fmnist_cli.runs.groups import group_by_options
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
    if curves is not None:
        _write_curves(curves, shown, groups, varied)
    if group:
        _print_groups(groups, varied, skipped, format_)
    else:
        _print_runs(shown, varied, skipped, format_)


def _print_runs(
    shown: "Sequence[RunRecord]", varied: Sequence[str], skipped: Sequence[str], format_: str
) -> None:
    rows = [
        {
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
        for run in shown
    ]
    if format_ == "json":
        console.print_json({"differing": varied, "runs": rows, "skipped": skipped})
    elif format_ == "csv":
        _print_csv(rows, [*_RUN_KEYS, *varied])
    elif rows:
        header = ["name", *_texts("recipe", "options", varied)]
        table = [
            [
                *(run.name, *_texts(run.recipe, _describe_set(run, varied), varied)),
                f"{run.epochs}/{run.options['epochs']}",
                *(_percent(run.val_accuracy), _rounded(run.seconds)),
                *(_rounded(run.images_per_second), run.state),
            ]
            for run in shown
        ]
        figures = ("epochs", "val acc", "sec", "img/s", "state")
        show_table([*header, *figures], table, text_columns=len(header), dispensable=_DISPENSABLE)


def _print_groups(
    groups: "Sequence[Group]", varied: Sequence[str], skipped: Sequence[str], format_: str
) -> None:
    from statistics import fmean

    from fmnist_cli.runs.groups import paired_difference

    difference = paired_difference(groups[0], groups[1]) if len(groups) == 2 else None
    rows: list[dict[str, Any]] = [
        {
            "recipe": group.runs[0].recipe,
            "n": len({run.seed for run in group.runs}),
            "seeds": sorted({run.seed for run in group.runs}),
            "runs": [run.name for run in group.runs],
            "val_accuracy": group.val_accuracy.mean,
            "val_accuracy_ci95": group.val_accuracy.ci95,
            "seconds": fmean(run.seconds for run in group.runs),
            "images_per_second": fmean(run.images_per_second or 0 for run in group.runs),
            "options": {name: group.runs[0].options.get(name) for name in varied},
        }
        for group in groups
    ]
    if format_ == "json":
        document = {"differing": varied, "groups": rows, "difference": _as_json(difference)}
        console.print_json({**document, "skipped": skipped})
    elif format_ == "csv":
        for row in rows:
            row["ci95_low"], row["ci95_high"] = row["val_accuracy_ci95"] or (None, None)
        _print_csv(rows, [*_GROUP_KEYS, *varied])
    elif rows:
        header = _texts("recipe", "options", varied)
        table = [
            [
                *_texts(row["recipe"], _describe(group.runs[0], varied), varied),
                *(str(row["n"]), _percent(row["val_accuracy"])),
                " to ".join(map(_percent, row["val_accuracy_ci95"] or ())),
                *(_rounded(row["seconds"]), _rounded(row["images_per_second"])),
            ]
            for group, row in zip(groups, rows, strict=True)
        ]
        figures = ("n", "val acc", "95% interval", "sec", "img/s")
        show_table([*header, *figures], table, text_columns=len(header), dispensable=_DISPENSABLE)
        if difference is not None:
            _show_difference(difference)


def _as_json(difference: "PairedDifference | None") -> dict[str, Any] | None:
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
    text = f"second - first, by seed: {100 * estimate.mean:+.2f} points"
    if estimate.ci95 is not None:
        low, high = estimate.ci95
        text += f", 95% interval {100 * low:+.2f} to {100 * high:+.2f}"
    console.result(f"\n{text}, n = {estimate.n}")


def _write_curves(
    path: Path, shown: "Sequence[RunRecord]", groups: "Sequence[Group]", varied: Sequence[str]
) -> None:
    from fmnist_cli.files import atomic_write
    from fmnist_cli.runs.curves import Curve, draw

    curves = [Curve.of_run(run) for run in shown]
    if groups:
        curves = [Curve.of_group(group, _label(group, groups, varied)) for group in groups]
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


def _texts(recipe: str, options: str, varied: Sequence[str]) -> list[str]:
    """Cells of text; there is no column of options if none differs."""
    return [recipe, options] if varied else [recipe]


def _print_csv(rows: Sequence[dict[str, Any]], columns: Sequence[str]) -> None:
    names = dict.fromkeys(columns)  # the seed may be a column and an option that differs
    flat = [{**row["options"], **row} for row in rows]
    console.print_csv([names, *([row[name] for name in names] for row in flat)])


def _describe(run: "RunRecord", varied: Sequence[str]) -> str:
    from fmnist_cli.runs.record import as_text

    return ", ".join(f"{name} {as_text(run.options.get(name)) or '-'}" for name in varied)


def _describe_set(run: "RunRecord", varied: Sequence[str]) -> str:
    return _describe(run, [name for name in varied if run.options.get(name) not in (None, False)])


def _percent(share: float | None) -> str:
    return "" if share is None else f"{share:.2%}"


def _rounded(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f}"
