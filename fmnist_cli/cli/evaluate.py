"""`fmnist evaluate`: a model's scores on labeled images."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fmnist_cli.cli import console
from fmnist_cli.cli.evaluated_data import busy, open_data, warn_of_drawn_data
from fmnist_cli.cli.loading import NormalizationOption, StemOption, load_model
from fmnist_cli.cli.options import (
    DEFAULT_MODEL,
    DataDirOption,
    DeviceOption,
    JudgedDataOption,
    MirrorOption,
    ModelArgument,
    NetworkOfModelOption,
    PrecisionOption,
    SplitOption,
    TableJsonOrCsv,
    TestDataOption,
    ThreadsOption,
    TtaOption,
)
from fmnist_cli.cli.tables import show_facts, show_table
from fmnist_cli.constants import CLASS_NAMES

if TYPE_CHECKING:
    from fmnist_cli.evaluation.evaluation import Evaluation

MinOption = Annotated[
    list[str] | None,
    typer.Option(
        "--min",
        metavar="METRIC=VALUE",
        help="Exit with 3 where this is not reached: accuracy=0.92, f1_macro=0.9, "
        "recall[Shirt]=0.75; repeatable.",
        show_default=False,
    ),
]
ReportOption = Annotated[
    Path | None,
    typer.Option("--report", metavar="FILE.html", help="Write a page with pictures."),
]
ConfusionOption = Annotated[
    Path | None,
    typer.Option(
        "--confusion", metavar="FILE.png", help="Draw the confusion matrix, as .png or .svg."
    ),
]
PredictionsOption = Annotated[
    Path | None,
    typer.Option("--predictions", metavar="FILE.csv", help="Write a row per judged image."),
]


def evaluate(
    model: ModelArgument = DEFAULT_MODEL,
    data: JudgedDataOption = None,
    test_data: TestDataOption = None,
    data_dir: DataDirOption = None,
    mirror: MirrorOption = None,
    split: SplitOption = "test",
    tta: TtaOption = False,
    min_: MinOption = None,
    report: ReportOption = None,
    confusion: ConfusionOption = None,
    predictions: PredictionsOption = None,
    network: NetworkOfModelOption = None,
    normalization: NormalizationOption = None,
    stem: StemOption = None,
    device: DeviceOption = "auto",
    threads: ThreadsOption = None,
    precision: PrecisionOption = "fp32",
    format_: TableJsonOrCsv = "table",
) -> None:
    """Score a model on labeled images."""
    from fmnist_cli.evaluation import gates
    from fmnist_cli.evaluation.confusion import picture_format
    from fmnist_cli.evaluation.evaluation import judge
    from fmnist_cli.files import check_writable

    wanted = [gates.parse(text) for text in min_ or ()]
    if confusion is not None:
        picture_format(confusion)
    for path in (report, confusion, predictions):
        if path is not None:
            check_writable(path)
    classifier = load_model(
        model,
        network,
        normalization,
        stem,
        device=device,
        threads=threads,
        precision=precision,
    )
    source = open_data(classifier, data, test_data, data_dir, mirror, split)
    with busy("judging"):
        evaluation = judge(classifier, source, split, tta=tta)
        _write_files(evaluation, report, confusion, predictions)
    _warn(evaluation)
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
    from fmnist_cli.files import atomic_write

    if report is not None:
        from fmnist_cli.evaluation.page import render_page

        page = render_page(evaluation)
        with atomic_write(report) as temporary:  # names of files need not be valid Unicode
            temporary.write_text(page, encoding="utf-8", errors="xmlcharrefreplace")
    if confusion is not None:
        from fmnist_cli.evaluation.confusion import draw_confusion, picture_format

        matrix = evaluation.scores.confusion_matrix
        with atomic_write(confusion) as temporary:
            temporary.write_bytes(draw_confusion(matrix, picture_format(confusion)))
    if predictions is not None:
        with atomic_write(predictions) as temporary:
            temporary.write_text(evaluation.predictions_csv(), encoding="utf-8")


def _warn(evaluation: "Evaluation") -> None:
    """Tell on stderr what makes the scores mean less than it seems."""
    seen, n = evaluation.seen_in_training, evaluation.scores.n
    if evaluation.is_drawn:
        warn_of_drawn_data()
    if seen is None:
        console.note("whether the model has seen the judged images in training can't be told")
    elif seen:
        console.warn(
            f"the model was trained on {seen:,} of the {n:,} judged images; "
            "what it scores on them is no test"
        )


def _show(evaluation: "Evaluation") -> None:
    scores = evaluation.scores
    if console.out().is_terminal:
        _show_report(evaluation)
    else:
        console.result(scores.report_text.rstrip("\n"))
    console.result("")
    low, high = scores.accuracy_ci95
    drawn = " (drawn data, not Fashion-MNIST)" if evaluation.is_drawn else ""
    facts = [
        ("data", f"{evaluation.data}, {evaluation.split} split, {scores.n:,} images{drawn}"),
        ("accuracy", f"{scores.accuracy:.2%}, 95% interval {low:.2%} to {high:.2%}"),
        ("loss", f"{scores.loss:.4f}"),
        ("calibration error", f"{scores.ece:.4f}"),
    ]
    for position, pair in enumerate(scores.most_confused):
        text = f"{pair.count:,} ({pair.share:.1%}) of {pair.true} taken for {pair.predicted}"
        facts.append(("" if position else "most confused", text))
    show_facts(facts)


def _show_report(evaluation: "Evaluation") -> None:
    """Draw scikit-learn's report on a terminal."""
    header, *rows = evaluation.report_rows()
    shown = [
        [name, *(f"{cell:.4f}" if cell != "" else "" for cell in cells), f"{support:,}"]
        for name, *cells, support in rows
    ]
    shown.insert(len(CLASS_NAMES), [""] * len(header))  # as scikit-learn sets the averages apart
    show_table(header, shown)
