"""Options that several commands share: one name, one meaning, one help text."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from fmnist_cli.cli.config_options import typer_option
from fmnist_cli.data.class_names import MAX_CLASSES
from fmnist_cli.pretrained import NAME as PRETRAINED
from fmnist_cli.pretrained import locate
from fmnist_cli.training.options import OPTIONS

DEFAULT_MODEL = Path("model.pt")
MODEL_HELP = f"Model file, .pt or .onnx, or {PRETRAINED}: the model in the package."

# `locate` gets the text as typed: a Path would have lost the "./" that tells a file from a name.
ModelArgument = Annotated[
    Path,
    typer.Argument(
        metavar="MODEL", help=MODEL_HELP, parser=locate, show_default=str(DEFAULT_MODEL)
    ),
]
RequiredModelArgument = Annotated[
    Path, typer.Argument(metavar="MODEL", help=MODEL_HELP, parser=locate)
]
DataOption = Annotated[str | None, typer_option(OPTIONS["data"], OPTIONS["data"].default)]
EvaluatedDataOption = Annotated[
    str | None, typer_option(OPTIONS["data"], "what the model was trained on")
]
ClassesOption = Annotated[
    str | None, typer_option(OPTIONS["classes"], OPTIONS["classes"].unset or "")
]
TestDataOption = Annotated[str | None, typer_option(OPTIONS["test_data"])]
DataDirOption = Annotated[
    Path | None,
    typer.Option(
        "--data-dir",
        envvar="FMNIST_DATA_DIR",
        metavar="DIR",
        help="Directory of the official files.",
        show_default="the user's cache directory",
    ),
]
MirrorOption = Annotated[
    list[str] | None,
    typer.Option(
        "--mirror",
        metavar="URL|DIR",
        help="Download source to try first; repeatable. FMNIST_MIRROR sets one too.",
        show_default=False,
    ),
]
DeviceOption = Annotated[str, typer_option(OPTIONS["device"], "auto")]
ThreadsOption = Annotated[
    int | None, typer_option(OPTIONS["threads"], OPTIONS["threads"].unset or "")
]
PrecisionOption = Annotated[
    Literal["auto", "fp32", "bf16", "fp16"],
    typer.Option("--precision", help=OPTIONS["precision"].help),
]
PhotoOption = Annotated[
    Literal["auto", "on", "off"], typer.Option("--photo", help=OPTIONS["photo"].help)
]
SplitOption = Annotated[
    Literal["test", "val", "train"],
    typer.Option(
        "--split", help="Split to evaluate; val and train as the model's training split them."
    ),
]
TtaOption = Annotated[
    bool, typer.Option("--tta", help="Average predictions over each image and its mirror image.")
]
TopKOption = Annotated[
    int,
    typer.Option("--top-k", metavar="N", min=1, max=MAX_CLASSES, help="Classes to list per image."),
]
TableOrJson = Annotated[Literal["table", "json"], typer.Option("--format", help="Output format.")]
TableJsonOrCsv = Annotated[
    Literal["table", "json", "csv"], typer.Option("--format", help="Output format.")
]
