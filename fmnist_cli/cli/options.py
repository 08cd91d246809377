"""Options that several commands share: one name, one meaning, one help text."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from fmnist_cli.constants import NUM_CLASSES
from fmnist_cli.pretrained import NAME as PRETRAINED
from fmnist_cli.pretrained import locate
from fmnist_cli.training.options import TrainConfig

DEFAULT_MODEL = Path("model.pt")
MODEL_HELP = f"Model file, .pt or .onnx; {PRETRAINED}: the one that comes with the program."

# The parsers get what was typed: a Path would have lost the "./" that tells a file from a name.
ModelArgument = Annotated[
    Path,
    typer.Argument(
        metavar="MODEL", help=MODEL_HELP, parser=locate, show_default=str(DEFAULT_MODEL)
    ),
]
RequiredModelArgument = Annotated[
    Path, typer.Argument(metavar="MODEL", help=MODEL_HELP, parser=locate)
]
NetworkOfModelOption = Annotated[
    str | None,
    typer.Option(
        "--model",
        metavar="NAME",
        help="Network of a MODEL that holds bare weights (a state_dict).",
        show_default=False,
    ),
]
DataOption = Annotated[
    str | None,
    typer.Option(
        "--data",
        metavar="NAME|PATH",
        help="fashion-mnist, sample, a CSV file, a folder of IDX files, "
        "or a folder with one sub-folder of images per class.",
        show_default=TrainConfig.default("data"),
    ),
]
EvaluatedDataOption = Annotated[
    str | None,
    typer.Option(
        "--data",
        metavar="NAME|PATH",
        help="fashion-mnist, sample, a CSV file or a folder.",
        show_default="what the model was trained on",
    ),
]
TestDataOption = Annotated[
    str | None,
    typer.Option(
        "--test-data", metavar="PATH", help="Test split of a CSV or folder.", show_default=False
    ),
]
DataDirOption = Annotated[
    Path | None,
    typer.Option(
        "--data-dir",
        envvar="FMNIST_DATA_DIR",
        metavar="DIR",
        help="Where the official files are kept.",
        show_default="the user's cache folder",
    ),
]
MirrorOption = Annotated[
    list[str] | None,
    typer.Option(
        "--mirror",
        metavar="URL|DIR",
        help="Try this source first; repeatable. FMNIST_MIRROR names one too.",
        show_default=False,
    ),
]
DeviceOption = Annotated[
    str,
    typer.Option(
        "--device", envvar="FMNIST_DEVICE", metavar="NAME", help="auto, cpu, cuda, cuda:N or mps."
    ),
]
ThreadsOption = Annotated[
    int | None,
    typer.Option(
        "--threads",
        metavar="N",
        min=1,
        help="CPU threads.",
        show_default="cores this process may use",
    ),
]
PrecisionOption = Annotated[
    Literal["auto", "fp32", "bf16", "fp16"],
    typer.Option("--precision", help="Arithmetic of the network."),
]
SplitOption = Annotated[
    Literal["test", "val", "train"],
    typer.Option(
        "--split", help="Split to evaluate; val and train as the model's training split them."
    ),
]
TtaOption = Annotated[
    bool, typer.Option("--tta", help="Average over each image and its mirror image.")
]
TopKOption = Annotated[
    int,
    typer.Option("--top-k", metavar="N", min=1, max=NUM_CLASSES, help="Classes to list per image."),
]
TableOrJson = Annotated[
    Literal["table", "json"], typer.Option("--format", help="How the result is printed.")
]
TableJsonOrCsv = Annotated[
    Literal["table", "json", "csv"], typer.Option("--format", help="How the result is printed.")
]
