"""`fmnist compare`: two models on the same images."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fmnist_cli.cli import console, options
from fmnist_cli.cli.models_and_data import busy, data_line, load_model, open_data, warn_of_data
from fmnist_cli.cli.tables import points, show_facts, show_table, with_interval
from fmnist_cli.pretrained import locate, name_of

if TYPE_CHECKING:
    from fmnist_cli.evaluation.comparison import ModelComparison


def compare(
    *,
    a: Annotated[Path, typer.Argument(metavar="A", help=options.MODEL_HELP, parser=locate)],
    b: Annotated[
        Path, typer.Argument(metavar="B", help="The model to compare with A.", parser=locate)
    ],
    data: options.EvaluatedDataOption = None,
    places: options.DataPlaces,
    split: options.SplitOption = "test",
    tta: options.TtaOption = False,
    list_: Annotated[
        int,
        typer.Option(
            "--list",
            metavar="N",
            min=0,
            help="Number of differing images to list in the table; JSON and CSV list all.",
        ),
    ] = 10,
    model_options: options.LoadOptions,
    precision: options.PrecisionOption = "fp32",
    format_: options.TableJsonOrCsv = "table",
) -> None:
    """Compare two models on the same images."""
    from fmnist_cli.evaluation.comparison import compare_models

    first, second = (
        load_model(path, _options_for(path, model_options), precision=precision) for path in (a, b)
    )
    source = open_data(first, data, places, split)
    with busy():
        result = compare_models(first, second, source, split, tta=tta)
    _warn(result)
    if format_ == "json":
        console.print_json(asdict(result))
    elif format_ == "csv":
        console.print_csv([_COLUMNS, *_rows(result)])
    else:
        _show(result, list_)


def _options_for(path: Path, given: options.LoadOptions) -> options.LoadOptions:
    """What applies to one of the models: a file with metadata describes itself."""
    from fmnist_cli.checkpoints.archive import has_metadata, read_metadata

    if not has_metadata(path):
        return given
    is_own = path.suffix.lower() != ".onnx" and ":" in read_metadata(path).network.name
    return options.LoadOptions(
        given.network if is_own else None, device=given.device, threads=given.threads
    )


def _warn(result: "ModelComparison") -> None:
    if result.same_model:
        a, b = (name_of(Path(compared.model)) for compared in (result.a, result.b))
        console.note(f"'{a}' and '{b}' are the same model")
    for position, compared in enumerate((result.a, result.b)):
        warn_of_data(
            result.n,
            compared.seen_in_training,
            is_sample=result.is_sample and not position,
            model=f"'{name_of(Path(compared.model))}'",
        )


_COLUMNS = ("index", "class", "a", "a_probability", "b", "b_probability")


def _rows(result: "ModelComparison") -> list[list[str]]:
    """The images that the models classify differently: position, true class, both predictions."""
    return [
        [str(row["index"]), row["class"], *_cells(row["a"]), *_cells(row["b"])]
        for row in result.differing
    ]


def _cells(predicted: dict[str, Any]) -> tuple[str, str]:
    return predicted["class"], f"{predicted['probability']:.6f}"


def _show(result: "ModelComparison", listed: int) -> None:
    facts = [("data", data_line(result, result.n))]
    for name, side in (("A", result.a), ("B", result.b)):
        accuracy = with_interval(side.accuracy, side.accuracy_ci95)
        facts.append((name, f"{accuracy}  {name_of(Path(side.model))}"))
    # A p-value may be too small for a float.
    p = f"{result.mcnemar_p:.3g}" if result.mcnemar_p else "less than 1e-300"
    facts += [
        ("B - A", points(result.difference, result.difference_ci95)),
        ("McNemar's p", f"{p} ({result.mcnemar_test})"),
        ("only A right", f"{result.only_a_right:,}"),
        ("only B right", f"{result.only_b_right:,}"),
        ("agreement", f"{result.agreement:.2%}; {result.n_differing:,} images differ"),
    ]
    if result.same_model:
        facts.append(("same model", "both files hold the same bytes"))
    show_facts(facts)
    rows = _rows(result)[:listed]
    if rows:
        console.result("")
        show_table(_COLUMNS, rows, text_columns=6, dispensable=("b_probability", "a_probability"))
    if result.n_differing > len(rows):
        console.note(f"{result.n_differing - len(rows):,} more differ: --list N, --format csv")
