"""`fmnist show`: look at samples, in the terminal or as a picture."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from fmnist_cli.cli import console
from fmnist_cli.cli.evaluated_data import busy, fetch, open_data
from fmnist_cli.cli.loading import NormalizationOption, StemOption, load_model
from fmnist_cli.cli.options import (
    DataDirOption,
    DataOption,
    DeviceOption,
    MirrorOption,
    NetworkOfModelOption,
    TableOrJson,
    TestDataOption,
)
from fmnist_cli.constants import CLASS_NAMES, IMAGE_SIZE
from fmnist_cli.errors import UsageError
from fmnist_cli.pretrained import locate
from fmnist_cli.training.options import TrainConfig

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from fmnist_cli.data.images import Images, LabeledImages
    from fmnist_cli.evaluation.training_record import Split
    from fmnist_cli.inference.classifier import Classifier

_GAP = 2


@dataclass(frozen=True, slots=True)
class _Sample:
    """One image of a split, and what a model made of it where one was asked."""

    index: int
    """Place in the split."""
    label: int
    predicted: int | None = None
    probability: float | None = None
    """Of the predicted class."""

    def caption(self) -> str:
        """The true class, and in a second line what it was taken for."""
        true = CLASS_NAMES[self.label]
        if self.predicted is None:
            return true
        return f"{true}\nas {CLASS_NAMES[self.predicted]} {self.probability:.0%}"

    def as_dict(self) -> dict[str, Any]:
        """Plain data under the keys that `fmnist show --format json` prints."""
        plain = {"index": self.index, "label": self.label, "class": CLASS_NAMES[self.label]}
        if self.predicted is None:
            return plain
        return plain | {
            "predicted_label": self.predicted,
            "predicted_class": CLASS_NAMES[self.predicted],
            "probability": self.probability,
        }


def show(
    data: DataOption = None,
    test_data: TestDataOption = None,
    data_dir: DataDirOption = None,
    mirror: MirrorOption = None,
    split: Annotated[
        Literal["train", "val", "test"] | None,
        typer.Option(
            "--split",
            help="Which images to show; val: what a model was selected on.",
            show_default="train; with --errors: test",
        ),
    ] = None,
    errors: Annotated[
        Path | None,
        typer.Option(
            "--errors",
            metavar="MODEL",
            parser=locate,
            help="Show what this model gets wrong, the worst mistakes first.",
            show_default=False,
        ),
    ] = None,
    count: Annotated[
        int, typer.Option("--count", "-n", metavar="N", min=1, max=1000, help="How many.")
    ] = 10,
    augment: Annotated[
        str | None,
        typer.Option(
            "--augment",
            metavar="NAME[:STRENGTH],…",
            help="Show them as training with these augmentations sees them.",
            show_default=False,
        ),
    ] = None,
    seed: Annotated[
        int, typer.Option("--seed", metavar="N", min=0, help="Which samples are drawn.")
    ] = 0,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE.png|DIR/",
            help="Write a labeled grid, or each picture into a folder.",
            show_default="the terminal",
        ),
    ] = None,
    device: DeviceOption = "auto",
    network: NetworkOfModelOption = None,
    normalization: NormalizationOption = None,
    stem: StemOption = None,
    format_: TableOrJson = "table",
) -> None:
    """Show samples of some data, or the mistakes of a model."""
    if output is not None:
        _check_output(output)
    if errors is None:
        if split == "val":
            raise UsageError("--split val is the split of a model; name it: --errors MODEL")
        images, samples = _samples(
            data, test_data, data_dir, mirror, split or "train", count, seed, augment
        )
    else:
        if augment is not None:
            raise UsageError("--augment and --errors do not go together")
        classifier = load_model(errors, network, normalization, stem, device=device)
        images, samples = _mistakes(
            classifier, data, test_data, data_dir, mirror, split or "test", count
        )
    captions = [sample.caption() for sample in samples]
    if output is not None and output.suffix.lower() == ".png":
        _write_grid(output, images, captions)
    elif output is not None:
        _write_each(output, images, samples)
    if format_ == "json":
        shown = [sample.as_dict() for sample in samples]
        console.print_json({"output": None if output is None else str(output), "samples": shown})
    elif output is not None:
        console.result(output)
    else:
        _print(images, captions)


def _samples(
    data: str | None,
    test_data: str | None,
    data_dir: Path | None,
    mirror: list[str] | None,
    split: Literal["train", "test"],
    count: int,
    seed: int,
    augment: str | None,
) -> "tuple[Images, list[_Sample]]":
    """Some images of a split and what they are."""
    from fmnist_cli.data.sources import open_source

    source = open_source(
        data or TrainConfig.default("data"),
        test_data=test_data,
        data_dir=data_dir,
        mirrors=mirror or (),
    )
    fetch(source, split)
    everything = source.read(split)
    chosen = _draw(everything, count, seed)
    picked = everything[chosen]
    images = picked.images if augment is None else _augmented(picked, augment, seed)
    pairs = zip(chosen.tolist(), picked.labels.tolist(), strict=True)
    return images, [_Sample(index, label) for index, label in pairs]


def _mistakes(
    classifier: "Classifier",
    data: str | None,
    test_data: str | None,
    data_dir: Path | None,
    mirror: list[str] | None,
    split: "Split",
    count: int,
) -> "tuple[Images, list[_Sample]]":
    """The worst mistakes of a model on a split."""
    from fmnist_cli.evaluation.evaluation import judge

    source = open_data(classifier, data, test_data, data_dir, mirror, split)
    with busy("judging"):
        evaluation = judge(classifier, source, split)
    wrong = evaluation.worst_errors()
    console.note(
        f"{len(wrong):,} of {evaluation.scores.n:,} images of the {split} split are taken for "
        "another class"
    )
    chosen = wrong[:count]
    rows = evaluation.probabilities[chosen]
    facts = zip(
        chosen.tolist(),
        evaluation.judged.labels[chosen].tolist(),
        rows.argmax(axis=1).tolist(),
        rows.max(axis=1).tolist() if len(rows) else [],
        strict=True,
    )
    return evaluation.judged.images[chosen], [_Sample(*fact) for fact in facts]


def _draw(data: "LabeledImages", count: int, seed: int) -> "NDArray[np.int64]":
    """Choose places at random, as evenly over the classes as they come."""
    import numpy as np

    order = np.random.default_rng(seed).permutation(len(data))
    turn = np.zeros(len(data), dtype=np.int64)
    for label in range(len(CLASS_NAMES)):
        members = order[data.labels[order] == label]
        turn[members] = np.arange(len(members))
    return order[np.argsort(turn[order], kind="stable")][:count]


def _augmented(samples: "LabeledImages", augment: str, seed: int) -> "Images":
    import numpy as np
    import torch

    from fmnist_cli.data.normalization import Normalization
    from fmnist_cli.training.augment import parse
    from fmnist_cli.training.batches import Batches

    batches = Batches(
        samples,
        batch_size=len(samples),
        seed=seed,
        normalization=Normalization.RAW,
        augmentations=parse(augment),
        device=torch.device("cpu"),
    )
    pixels = batches.in_order(epoch=0).images[:, 0]
    return (pixels.clamp(0, 1) * 255).round().numpy().astype(np.uint8)


def _print(images: "Images", captions: list[str]) -> None:
    """As many side by side as the terminal is wide."""
    from rich.text import Text

    from fmnist_cli.evaluation.grid import half_blocks, shades

    screen = console.out()
    width = screen.width if screen.is_terminal else 80
    across = max(1, (width + _GAP) // (IMAGE_SIZE + _GAP))
    colored = not screen.no_color and screen.color_system not in (None, "standard")
    for start in range(0, len(images), across):
        group = images[start : start + across]
        if colored:
            pictures = [[Text.assemble(*line) for line in half_blocks(image)] for image in group]
        else:
            pictures = [[Text(line) for line in shades(image)] for image in group]
        for lines in zip(*pictures, strict=True):
            screen.print(Text(" " * _GAP).join(lines), no_wrap=True, crop=False)
        for texts in zip(
            *(text.split("\n") for text in captions[start : start + across]), strict=True
        ):
            line = "".join(text.ljust(IMAGE_SIZE + _GAP) for text in texts)
            screen.print(Text(line.rstrip()), no_wrap=True)


def _check_output(path: Path) -> None:
    """Raise UsageError for a grid's file of another format: it would become a folder's name."""
    from fmnist_cli.data.pictures import PICTURE_SUFFIXES

    if path.suffix.lower() in PICTURE_SUFFIXES - {".png"} and not path.is_dir():
        raise UsageError(f"'{path}' is no .png, the format of a grid; a folder has another name")


def _write_grid(path: Path, images: "Images", captions: list[str]) -> None:
    from fmnist_cli.evaluation.grid import draw_grid
    from fmnist_cli.files import atomic_write

    with atomic_write(path) as temporary:
        temporary.write_bytes(draw_grid(images, captions))


def _write_each(folder: Path, images: "Images", samples: list[_Sample]) -> None:
    from fmnist_cli.data.pictures import write_png

    for number, (image, sample) in enumerate(zip(images, samples, strict=True)):
        plain = re.sub(r"[^a-z]+", "-", sample.caption().lower().partition("\n")[0])
        write_png(folder / f"{number:04d}-{plain}.png", image)
