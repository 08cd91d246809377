"""`fmnist compare`: two models on the same images."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fmnist_cli.cli import console
from fmnist_cli.cli.evaluated_data import busy, open_data, warn_of_drawn_data
from fmnist_cli.cli.loading import NormalizationOption, StemOption, load_model
from fmnist_cli.cli.options import (
    MODEL_HELP,
    DataDirOption,
    DeviceOption,
    JudgedDataOption,
    MirrorOption,
    NetworkOfModelOption,
    PrecisionOption,
    SplitOption,
    TableJsonOrCsv,
    TestDataOption,
    ThreadsOption,
    TtaOption,
)
from fmnist_cli.cli.tables import show_facts, show_table
from fmnist_cli.pretrained import locate, name_of

if TYPE_CHECKING:
    from fmnist_cli.evaluation.comparison import ModelComparison

ListOption = Annotated[
    int,
    typer.Option(
        "--list",
        metavar="N",
        min=0,
        help="Images to list in a table on which the models differ; JSON has all.",
    ),
]


def compare(
    a: Annotated[Path, typer.Argument(metavar="A", help=MODEL_HELP, parser=locate)],
    b: Annotated[Path, typer.Argument(metavar="B", help="Another one.", parser=locate)],
    data: JudgedDataOption = None,
    test_data: TestDataOption = None,
    data_dir: DataDirOption = None,
    mirror: MirrorOption = None,
    split: SplitOption = "test",
    tta: TtaOption = False,
    list_: ListOption = 10,
    network: NetworkOfModelOption = None,
    normalization: NormalizationOption = None,
    stem: StemOption = None,
    device: DeviceOption = "auto",
    threads: ThreadsOption = None,
    precision: PrecisionOption = "fp32",
    format_: TableJsonOrCsv = "table",
) -> None:
    """Judge two models on the same images."""
    from fmnist_cli.checkpoints.archive import has_metadata
    from fmnist_cli.evaluation.comparison import duel

    first, second = (
        load_model(
            path,
            *((None, None, None) if has_metadata(path) else (network, normalization, stem)),
            device=device,
            threads=threads,
            precision=precision,
        )
        for path in (a, b)
    )
    source = open_data(first, data, test_data, data_dir, mirror, split)
    with busy("judging"):
        result = duel(first, second, source, split, tta=tta)
    _warn(result)
    if format_ == "json":
        console.print_json(result.as_dict())
    elif format_ == "csv":
        _write_csv(result)
    else:
        _show(result, list_)


def _warn(result: "ModelComparison") -> None:
    if result.same_model:
        a, b = (name_of(side.model) for side in (result.a, result.b))
        console.note(f"'{a}' and '{b}' are the same model")
    if result.is_drawn:
        warn_of_drawn_data()
    for side in (result.a, result.b):
        if side.seen_in_training:
            console.warn(
                f"'{name_of(side.model)}' was trained on {side.seen_in_training:,} of the "
                f"{result.comparison.n:,} judged images"
            )
        elif side.seen_in_training is None:
            name = name_of(side.model)
            console.note(f"whether '{name}' was trained on judged images can't be told")


_COLUMNS = ("index", "class", "a", "a_probability", "b", "b_probability")


def _rows(result: "ModelComparison") -> list[list[str]]:
    """The images on which the models differ: place in the split, true class, both answers."""
    return [
        [
            str(row["index"]),
            row["class"],
            *(
                cell
                for name in ("a", "b")
                for cell in (row[name]["class"], f"{row[name]['probability']:.6f}")
            ),
        ]
        for row in result.as_dict()["differing"]
    ]


def _write_csv(result: "ModelComparison") -> None:
    import csv
    import sys

    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(_COLUMNS)
    writer.writerows(_rows(result))


def _show(result: "ModelComparison", listed: int) -> None:
    compared = result.comparison
    drawn = " (drawn data, not Fashion-MNIST)" if result.is_drawn else ""
    facts = [("data", f"{result.data}, {result.split} split, {compared.n:,} images{drawn}")]
    for position, (name, side) in enumerate((("A", result.a), ("B", result.b))):
        low, high = compared.accuracy_ci95[position]
        accuracy = compared.accuracy[position]
        interval = f"95% interval {low:.2%} to {high:.2%}"
        facts.append((name, f"{accuracy:.2%}, {interval}  {name_of(side.model)}"))
    low, high = compared.difference_ci95
    test = "exact" if compared.mcnemar_is_exact else "chi-squared"
    interval = f"95% interval {100 * low:+.2f} to {100 * high:+.2f}"
    facts += [
        ("B - A", f"{100 * compared.difference:+.2f} points, {interval}"),
        ("McNemar's p", f"{_small(compared.mcnemar_p)} ({test})"),
        ("only A right", f"{compared.only_a_right:,}"),
        ("only B right", f"{compared.only_b_right:,}"),
        ("agreement", f"{compared.agreement:.2%}; {len(compared.differing):,} images differ"),
    ]
    if result.same_model:
        facts.append(("same model", "both files hold the same bytes"))
    show_facts(facts)
    rows = _rows(result)[:listed]
    if rows:
        console.result("")
        show_table(_COLUMNS, rows, text_columns=6)
    if len(compared.differing) > len(rows):
        console.note(f"{len(compared.differing) - len(rows):,} more differ: --list N, --format csv")


def _small(p: float) -> str:
    """A probability that may be too small for a float."""
    return f"{p:.3g}" if p else "less than 1e-300"
