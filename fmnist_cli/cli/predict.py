"""`fmnist predict`: classify pictures as they come."""

import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from fmnist_cli.cli import console
from fmnist_cli.cli.models_and_data import load_model, note_on_photos
from fmnist_cli.cli.options import (
    LoadOptions,
    PhotoOption,
    PrecisionOption,
    RequiredModelArgument,
    TopKOption,
)
from fmnist_cli.pretrained import name_of

if TYPE_CHECKING:
    from fmnist_cli.data.pictures import Picture
    from fmnist_cli.inference.predictor import Prediction

InputsArgument = Annotated[
    list[str],
    typer.Argument(
        metavar="INPUT",
        help="Pictures, directories, IDX, CSV or .npy files; - for paths on stdin, one per line.",
    ),
]
StdinImageOption = Annotated[
    bool, typer.Option("--stdin-image", help="Read one image's bytes from stdin.")
]
ShowInputOption = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        help="Write what the network sees of each picture to DIR, as PNG files; for a photo also "
        "how it was prepared.",
    ),
]
PredictionFormatOption = Annotated[
    Literal["table", "jsonl", "json", "csv"] | None,
    typer.Option(
        "--format",
        help="How the result is printed.",
        show_default="table on a terminal, jsonl elsewhere",
    ),
]


def predict(
    *,
    model: RequiredModelArgument,
    inputs: InputsArgument,
    top_k: TopKOption = 3,
    photo: PhotoOption = "auto",
    stdin_image: StdinImageOption = False,
    show_input: ShowInputOption = None,
    output_format: PredictionFormatOption = None,
    model_options: LoadOptions,
    precision: PrecisionOption = "fp32",
) -> None:
    """Classify pictures; predictions are printed in input order as they become available."""
    from fmnist_cli.cli import predictions
    from fmnist_cli.data.layouts import SAMPLE
    from fmnist_cli.errors import DataError, UsageError
    from fmnist_cli.inference.inputs import Skipped, check_arguments, open_inputs
    from fmnist_cli.inference.predictor import predict as stream

    if stdin_image and "-" not in inputs:
        raise UsageError(
            "--stdin-image needs - among the inputs: fmnist predict MODEL --stdin-image -"
        )
    if inputs.count("-") > 1:
        raise UsageError("- may be given once: standard input is read to its end")
    check_arguments(inputs)
    classifier = load_model(model, model_options, precision=precision)
    if classifier.trained_on is not None and classifier.trained_on.kind == SAMPLE:
        console.note(
            "the model was trained on the sample in the package, not on all of Fashion-MNIST"
        )

    stdin = sys.stdin.fileno() if "-" in inputs else -1
    skipped = Skipped()
    opened = open_inputs(
        inputs, photo=photo, stdin=stdin, stdin_is_image=stdin_image, skipped=skipped
    )
    tally = _Tally(show_input)
    with closing(stream(classifier, opened)) as batches:
        chosen = output_format or ("table" if console.results().isatty() else "jsonl")
        predictions.WRITERS[chosen](tally.watch(batches), classifier.classes, top_k)
    if tally.photos:
        note_on_photos(classifier, name_of(model))
    if skipped.count:
        more = ", …" if skipped.count > len(skipped.names) else ""
        files = (
            "file that is not a picture" if skipped.count == 1 else "files that are not pictures"
        )
        console.note(f"skipped {skipped.count:,} {files}: {', '.join(skipped.names)}{more}")
    if tally.failed:
        raise DataError(f"{tally.failed:,} of {tally.total:,} inputs could not be read")


class _Tally:
    """Count predictions on their way to stdout; write what the network saw."""

    def __init__(self, show_input: Path | None) -> None:
        self.total = 0
        self.failed = 0
        self.photos = 0
        self._show_input = show_input

    def watch(self, batches: Iterator[list["Prediction"]]) -> Iterator[list["Prediction"]]:
        for batch in batches:
            for number, prediction in enumerate(batch, self.total):
                if prediction.picture is not None:
                    self._show(number, prediction.name, prediction.picture)
            self.total += len(batch)
            self.failed += sum(prediction.picture is None for prediction in batch)
            yield batch
            # The reader of a pipe sees each batch while the next one is still on its way.
            console.results().flush()

    def _show(self, number: int, name: str, picture: "Picture") -> None:
        self.photos += picture.prepared
        how = "prepared as a photo" if picture.prepared else "taken as it is"
        console.detail(f"{name}: {how}")
        if self._show_input is None:
            return
        from fmnist_cli.data.pictures import draw_steps, write_png
        from fmnist_cli.files import atomic_write

        stem = Path(name).stem[:100]
        write_png(self._show_input / f"{number:06}-{stem}.png", picture.pixels)
        if picture.prepared and name != "-":
            steps = self._show_input / f"{number:06}-{stem}-steps.png"
            with atomic_write(steps) as temporary:
                draw_steps(Path(name)).save(temporary, "PNG")
