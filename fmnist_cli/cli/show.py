"""`fmnist show`: samples of data or errors of a model, in the terminal or as a picture."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from fmnist_cli.cli import console, options
from fmnist_cli.cli.models_and_data import busy, fetch, load_model, open_data
from fmnist_cli.constants import IMAGE_SIZE
from fmnist_cli.errors import UsageError
from fmnist_cli.pretrained import locate
from fmnist_cli.training.options import OPTIONS

if TYPE_CHECKING:
    from fmnist_cli.evaluation.samples import Sample

_GAP = 2


def show(
    *,
    data: options.DataOption = None,
    places: options.DataPlaces,
    split: Annotated[
        Literal["train", "val", "test"] | None,
        typer.Option(
            help="Split to show; val: the validation split of the model or of an image directory.",
            show_default="train; with --errors: test",
        ),
    ] = None,
    photo: options.PhotoOption = "auto",
    errors: Annotated[
        Path | None,
        typer.Option(
            metavar="MODEL", parser=locate, help="Show the errors of this model, the worst first."
        ),
    ] = None,
    count: Annotated[
        int, typer.Option("--count", "-n", metavar="N", min=1, max=1000, help="Number of images.")
    ] = 10,
    augment: Annotated[
        str | None,
        typer.Option(
            metavar="NAME[:STRENGTH],…",
            help="Show the images as training with these augmentations sees them.",
        ),
    ] = None,
    seed: Annotated[
        int, typer.Option(metavar="N", min=0, help="Seed of the random choice of images.")
    ] = 0,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE.png|DIR/",
            help="Write a labeled grid, or each image into a directory.",
            show_default="the terminal",
        ),
    ] = None,
    model_options: options.LoadOptions,
    format_: options.TableOrJson = "table",
) -> None:
    """Show samples of data, or the errors of a model."""
    from fmnist_cli.data.class_names import split_classes
    from fmnist_cli.data.sources import open_source
    from fmnist_cli.evaluation.evaluation import evaluate
    from fmnist_cli.evaluation.samples import draw_samples

    if output is not None:
        _check_output(output)
    if errors is None:
        name = split or "train"
        source = open_source(
            data or OPTIONS["data"].default,
            **places.as_arguments(),
            photo=photo,
            classes=split_classes(model_options.classes),
        )
        if name == "val" and not source.has_val_split():
            raise UsageError("--split val belongs to a model; name it: --errors MODEL")
        fetch(source, name)
        images = source.read_training().splits()["val"] if name == "val" else source.read(name)
        samples = draw_samples(images, count, seed, augment)
    else:
        if augment is not None:
            raise UsageError("--augment cannot be combined with --errors")
        classifier = load_model(errors, model_options)
        source = open_data(classifier, data, places, split or "test", photo=photo)
        with busy():
            evaluation = evaluate(classifier, source, split or "test")
        wrong = evaluation.worst_errors()
        console.note(
            f"{len(wrong):,} of {evaluation.scores.n:,} images of the "
            f"{evaluation.split} split are misclassified"
        )
        samples = evaluation.samples(wrong[:count])
    if output is not None:
        _write(output, samples)
    if format_ == "json":
        shown = [sample.as_dict() for sample in samples]
        console.print_json({"output": None if output is None else str(output), "samples": shown})
    elif output is not None:
        console.result(output)
    else:
        _print(samples)


def _print(samples: "list[Sample]") -> None:
    """Print the images side by side, as many as fit the terminal's width."""
    from rich.cells import cell_len
    from rich.text import Text

    from fmnist_cli.evaluation.grid import half_blocks, shades

    screen = console.out()
    width = screen.width if screen.is_terminal else 80
    across = max(1, (width + _GAP) // (IMAGE_SIZE + _GAP))
    colored = not screen.no_color and screen.color_system not in (None, "standard")
    for start in range(0, len(samples), across):
        group = samples[start : start + across]
        if colored:
            pictures = [
                [Text.assemble(*line) for line in half_blocks(each.image)] for each in group
            ]
        else:
            pictures = [[Text(line) for line in shades(each.image)] for each in group]
        for lines in zip(*pictures, strict=True):
            screen.print(Text(" " * _GAP).join(lines), no_wrap=True, crop=False)
        for texts in zip(*(each.caption().split("\n") for each in group), strict=True):
            line = "".join(text + " " * (IMAGE_SIZE + _GAP - cell_len(text)) for text in texts)
            screen.print(Text(line.rstrip()), no_wrap=True)


def _check_output(path: Path) -> None:
    """Raise UsageError for a grid in another format, whose name would become a directory's."""
    from fmnist_cli.data.image_files import PICTURE_SUFFIXES

    if path.suffix.lower() in PICTURE_SUFFIXES - {".png"} and not path.is_dir():
        raise UsageError(f"'{path}': a grid is written as .png; for single images name a directory")


def _write(output: Path, samples: "list[Sample]") -> None:
    """Write a grid to a .png file, or each image to a directory."""
    from fmnist_cli.data.pictures import write_png
    from fmnist_cli.evaluation.grid import draw_grid
    from fmnist_cli.files import atomic_write

    if output.suffix.lower() == ".png":
        with atomic_write(output) as temporary:
            temporary.write_bytes(draw_grid(samples))
        return
    for number, sample in enumerate(samples):
        name = re.sub(r"[\W_]+", "-", sample.true_class.lower())
        write_png(output / f"{number:04d}-{name}.png", sample.image)
