"""`fmnist show`: look at samples, in the terminal or as a picture."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from fmnist_cli.cli import console
from fmnist_cli.cli.options import DataDirOption, DataOption, MirrorOption, TestDataOption
from fmnist_cli.engine.config import TrainConfig
from fmnist_cli.facts import CLASS_NAMES, IMAGE_SIZE

if TYPE_CHECKING:
    from fmnist_cli.data.images import Images, LabelledImages

_GAP = 2


def show(
    data: DataOption = None,
    test_data: TestDataOption = None,
    data_dir: DataDirOption = None,
    mirror: MirrorOption = None,
    split: Annotated[
        Literal["train", "test"], typer.Option("--split", help="Which images to show.")
    ] = "train",
    count: Annotated[int, typer.Option("--count", "-n", min=1, max=1000, help="How many.")] = 10,
    augment: Annotated[
        str | None,
        typer.Option(
            "--augment",
            metavar="NAME[:STRENGTH],…",
            help="Show them as training with these augmentations sees them.",
            show_default=False,
        ),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Which samples are drawn.")] = 0,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE.png|DIR/",
            help="Write a labelled grid, or each picture into a folder.",
            show_default="the terminal",
        ),
    ] = None,
) -> None:
    """Show labelled samples of some data."""
    from fmnist_cli.data.sources import open_source

    source = open_source(
        data or TrainConfig.default("data"),
        test_data=test_data,
        data_dir=data_dir,
        mirrors=mirror or (),
    )
    samples = _draw(source.read(split), count, seed)
    images = samples.images if augment is None else _augmented(samples, augment, seed)
    names = [CLASS_NAMES[label] for label in samples.labels]
    if output is None:
        _print(images, names)
    elif output.suffix.lower() == ".png":
        _write_grid(output, images, names)
    else:
        _write_each(output, images, names)


def _draw(data: "LabelledImages", count: int, seed: int) -> "LabelledImages":
    """Choose samples at random, as evenly over the classes as they come."""
    import numpy as np

    order = np.random.default_rng(seed).permutation(len(data))
    turn = np.zeros(len(data), dtype=np.int64)
    for label in range(len(CLASS_NAMES)):
        members = order[data.labels[order] == label]
        turn[members] = np.arange(len(members))
    return data[order[np.argsort(turn[order], kind="stable")][:count]]


def _augmented(samples: "LabelledImages", augment: str, seed: int) -> "Images":
    import numpy as np
    import torch

    from fmnist_cli.data.augment import parse
    from fmnist_cli.data.batches import Batches
    from fmnist_cli.data.preparation import Preparation

    batches = Batches(
        samples,
        batch_size=len(samples),
        seed=seed,
        preparation=Preparation.RAW,
        augmentations=parse(augment),
        device=torch.device("cpu"),
    )
    pixels = batches.in_order(epoch=0).images[:, 0]
    return (pixels.clamp(0, 1) * 255).round().numpy().astype(np.uint8)


def _print(images: "Images", names: list[str]) -> None:
    """As many side by side as the terminal is wide."""
    from rich.text import Text

    from fmnist_cli.report.grid import half_blocks, shades

    screen = console.out()
    width = screen.width if screen.is_terminal else 80
    across = max(1, (width + _GAP) // (IMAGE_SIZE + _GAP))
    coloured = screen.color_system not in (None, "standard")
    for start in range(0, len(images), across):
        group = images[start : start + across]
        if coloured:
            pictures = [[Text.assemble(*line) for line in half_blocks(image)] for image in group]
        else:
            pictures = [[Text(line) for line in shades(image)] for image in group]
        for lines in zip(*pictures, strict=True):
            screen.print(Text(" " * _GAP).join(lines), no_wrap=True, crop=False)
        captions = (name.ljust(IMAGE_SIZE + _GAP) for name in names[start : start + across])
        screen.print(Text("".join(captions).rstrip()), no_wrap=True)


def _write_grid(path: Path, images: "Images", names: list[str]) -> None:
    from fmnist_cli.files import atomic_write
    from fmnist_cli.report.grid import draw_grid

    with atomic_write(path) as temporary:
        temporary.write_bytes(draw_grid(images, names))
    console.result(path)


def _write_each(folder: Path, images: "Images", names: list[str]) -> None:
    from PIL import Image

    from fmnist_cli.files import atomic_write

    for number, (image, name) in enumerate(zip(images, names, strict=True)):
        plain = re.sub(r"[^a-z]+", "-", name.lower())
        with atomic_write(folder / f"{number:04d}-{plain}.png") as temporary:
            Image.fromarray(image).save(temporary, format="PNG")
    console.result(folder)
