"""`fmnist evaluate`: a model's scores on labeled images."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fmnist_cli.cli import console, options
from fmnist_cli.cli.models_and_data import (
    busy,
    check_outputs,
    data_line,
    load_model,
    open_data,
    warn_of_data,
)
from fmnist_cli.cli.tables import show_facts, show_table, with_interval

if TYPE_CHECKING:
    from fmnist_cli.evaluation.evaluation import Evaluation


def evaluate(
    *,
    model: options.ModelArgument = options.DEFAULT_MODEL,
    data: options.EvaluatedDataOption = None,
    places: options.DataPlaces,
    split: options.SplitOption = "test",
    photo: options.PhotoOption = "auto",
    tta: options.TtaOption = False,
    min_: Annotated[
        list[str] | None,
        typer.Option(
            "--min",
            metavar="METRIC=VALUE",
            help="Exit with 3 if a score is below VALUE: accuracy=0.92, f1_macro=0.9, "
            "recall[Shirt]=0.75; repeatable.",
        ),
    ] = None,
    report: Annotated[
        Path | None, typer.Option(metavar="FILE.html", help="Write a self-contained HTML report.")
    ] = None,
    confusion: Annotated[
        Path | None,
        typer.Option(metavar="FILE.png", help="Plot the confusion matrix as .png or .svg."),
    ] = None,
    predictions: Annotated[
        Path | None, typer.Option(metavar="FILE.csv", help="Write one row per image.")
    ] = None,
    model_options: options.LoadOptions,
    precision: options.PrecisionOption = "fp32",
    format_: options.TableJsonOrCsv = "table",
) -> None:
    """Evaluate a model on labeled images."""
    from fmnist_cli.evaluation import gates
    from fmnist_cli.evaluation.evaluation import evaluate as run_evaluation
    from fmnist_cli.evaluation.figures import confusion_format

    wanted = [gates.parse(text) for text in min_ or ()]
    if confusion is not None:
        confusion_format(confusion)
    check_outputs((report, confusion, predictions), inputs=(model, data, places.test_data))
    classifier = load_model(model, model_options, precision=precision)
    for gate in wanted:
        gate.check_class(classifier.classes)
    source = open_data(classifier, data, places, split, photo=photo)
    with busy():
        evaluation = run_evaluation(classifier, source, split, tta=tta)
        _write_files(evaluation, report, confusion, predictions)
    if evaluation.any_footwear:
        console.note(
            f"{evaluation.any_footwear:,} images may show any footwear: Sandal, Sneaker and Ankle "
            "boot count as right"
        )
    warn_of_data(evaluation.scores.n, evaluation.seen_in_training, is_sample=evaluation.is_sample)
    if evaluation.may_be_no_garments():
        console.warn(
            f"accuracy is near chance ({1 / len(classifier.classes):.0%}), and none of the "
            "images is from Fashion-MNIST: are these garments? "
            f"look at them: fmnist show --data {shlex.quote(evaluation.data)}"
        )
    if format_ == "json":
        console.print_json(evaluation.as_dict())
    elif format_ == "csv":
        console.result(evaluation.report_csv().rstrip())
    else:
        _show(evaluation)
    gates.check(wanted, evaluation.scores)


def _write_files(
    evaluation: "Evaluation",
    report: Path | None,
    confusion: Path | None,
    predictions: Path | None,
) -> None:
    from fmnist_cli.evaluation.figures import draw_confusion
    from fmnist_cli.evaluation.page import render_page
    from fmnist_cli.files import atomic_write

    def write(path: Path, content: bytes) -> None:
        with atomic_write(path) as temporary:
            temporary.write_bytes(content)

    if report is not None:  # file names need not be valid Unicode
        write(report, render_page(evaluation).encode(errors="xmlcharrefreplace"))
    if confusion is not None:
        write(confusion, draw_confusion(evaluation.scores, confusion))
    if predictions is not None:
        write(predictions, evaluation.predictions_csv().encode())


def _show(evaluation: "Evaluation") -> None:
    scores = evaluation.scores
    if console.out().is_terminal:
        _show_report(evaluation)
    else:
        console.result(scores.report_text.rstrip("\n"))
    console.result("")
    facts = [
        ("data", data_line(evaluation, scores.n)),
        ("accuracy", with_interval(scores.accuracy, scores.accuracy_ci95)),
        ("loss", f"{scores.loss:.4f}"),
        ("calibration error", f"{scores.calibration.error:.4f}"),
    ]
    for position, pair in enumerate(scores.most_confused):
        text = f"{pair.count:,} ({pair.share:.1%}) of {pair.true} classified as {pair.predicted}"
        facts.append(("" if position else "most confused", text))
    show_facts(facts)


def _show_report(evaluation: "Evaluation") -> None:
    """Show scikit-learn's report as a table on a terminal."""
    header, *rows = evaluation.report_rows()
    shown = [
        [name, *(f"{cell:.4f}" if cell != "" else "" for cell in cells), f"{support:,}"]
        for name, *cells, support in rows
    ]
    # scikit-learn, too, separates the averages by an empty line.
    shown.insert(len(evaluation.scores.classes), [""] * len(header))
    show_table(header, shown, dispensable=("support", "precision"))
