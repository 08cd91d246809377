"""Load the model that a command names, with the options for weights without metadata."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from fmnist_cli.cli import console

if TYPE_CHECKING:
    from fmnist_cli.data.normalization import Normalization
    from fmnist_cli.inference.classifier import Classifier

NormalizationOption = Annotated[
    str | None,
    typer.Option(
        "--normalization",
        metavar="raw|standard|half|bytes|MEAN,STD",
        help="Pixels that bare weights, or an ONNX file of your own, expect: 0 to 1, zero mean and "
        "unit variance, -1 to 1, 0 to 255, or (0..1 - MEAN) / STD.",
        show_default="what training --model here would use",
    ),
]
StemOption = Annotated[
    Literal["stock", "small"] | None,
    typer.Option(
        "--stem",
        help="First convolution of a torchvision network with bare weights: torchvision's own "
        "stride, or 1 as in networks trained here.",
        show_default="stock, unless saved here",
    ),
]


def load_model(
    path: Path,
    network: str | None,
    normalization: str | None,
    stem: Literal["stock", "small"] | None,
    *,
    device: str = "auto",
    threads: int | None = None,
    precision: str = "fp32",
) -> "Classifier":
    """Load a model; what had to be assumed about bare weights is reported on stderr."""
    from fmnist_cli.inference.loading import load

    classifier = load(
        path,
        network=network,
        normalization=parse_normalization(normalization),
        stem=stem,
        device=device,
        threads=threads,
        precision=precision,
    )
    if classifier.assumed:
        console.note(classifier.assumed)
    return classifier


def parse_normalization(text: str | None) -> "Normalization | None":
    """Read `--normalization`. Raises UsageError."""
    from fmnist_cli.data.normalization import Normalization

    return None if text is None else Normalization.parse(text)
