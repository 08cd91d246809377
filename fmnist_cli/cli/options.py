"""Options that several commands share: one name, one meaning, one help text."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from fmnist_cli.data.class_names import MAX_CLASSES
from fmnist_cli.pretrained import NAME as PRETRAINED
from fmnist_cli.pretrained import locate
from fmnist_cli.training.options import GROUPS, OPTIONS, Option
from fmnist_cli.training.recipes import shown_default

DEFAULT_MODEL = Path("model.pt")
MODEL_HELP = f"Model file, .pt or .onnx, or {PRETRAINED}: the model in the package."


class OptionGroup:
    """Type of a command's parameter that stands for several options."""

    @classmethod
    def options(cls) -> Mapping[str, inspect.Parameter]:
        """The options by name: what the constructor takes."""
        return inspect.signature(cls).parameters


def typer_option(declared: Option, default: str = "", group: str | None = None) -> Any:
    """Typer's form of an option of `TrainConfig`; its help ends with `default`, if given."""
    names = [declared.flag, *([declared.short] if declared.short else [])]
    if declared.type is bool:
        names = [f"{declared.flag}/--no-{declared.flag.removeprefix('--')}"]
    return typer.Option(
        *names,
        help=declared.help + (f" (default: {default})" if default else ""),
        show_default=False,
        metavar=declared.metavar,
        envvar=declared.env,
        parser=_reader(declared.parse),
        rich_help_panel=group,
    )


def _reader(parse: Callable[[str], Any] | None) -> Callable[[Any], Any] | None:
    """Let Typer name the option in errors of `parse`; a config file may hold a number."""
    if parse is None:
        return None

    def read(value: Any) -> Any:
        try:
            return parse(str(value))
        except ValueError as error:
            raise typer.BadParameter(str(error)) from None

    return read


def _train_parameter(declared: Option) -> inspect.Parameter:
    kind = declared.type if declared.parse is None else Any  # a parser returns the right type
    if declared.repeatable:
        kind = list[str]
    option = typer_option(
        replace(declared, help=declared.help + declared.train_help),
        shown_default(declared.name),
        declared.group,
    )
    return inspect.Parameter(
        declared.name,
        inspect.Parameter.KEYWORD_ONLY,
        default=None,
        annotation=Annotated[kind | None, option],
    )


class TrainOptions(OptionGroup, dict[str, Any]):
    """An option for each field of `TrainConfig`; holds those that are set, by field name."""

    __signature__ = inspect.Signature(
        [
            _train_parameter(declared)
            for declared in sorted(OPTIONS.values(), key=lambda each: GROUPS.index(each.group))
        ]
    )

    def __init__(self, **values: Any) -> None:
        for name, value in values.items():
            separator = OPTIONS[name].repeatable
            if value is not None and value != []:
                self[name] = separator.join(value) if separator else value


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
DataDirOption = Annotated[
    Path | None,
    typer.Option(
        envvar="FMNIST_DATA_DIR",
        metavar="DIR",
        help="Directory of the official files.",
        show_default="the user's cache directory",
    ),
]
MirrorOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="URL|DIR",
        help="Download source to try first; repeatable. FMNIST_MIRROR sets one too.",
    ),
]


@dataclass(frozen=True, slots=True)
class DataPlaces(OptionGroup):
    """Where data is, besides `--data`."""

    test_data: Annotated[str | None, typer_option(OPTIONS["test_data"])] = None
    data_dir: DataDirOption = None
    mirror: MirrorOption = None

    def as_arguments(self) -> dict[str, Any]:
        """Keyword arguments of `data.sources.open_source`."""
        return {
            "test_data": self.test_data,
            "data_dir": self.data_dir,
            "mirrors": self.mirror or (),
        }


@dataclass(frozen=True, slots=True)
class ModelOptions(OptionGroup):
    """What the user says about a model: its network's code, or all of bare weights."""

    network: Annotated[
        str | None,
        typer.Option(
            "--model",
            metavar="NAME|FILE.py:CLASS",
            help="Network of a MODEL that is your own, or holds bare weights (a state_dict).",
        ),
    ] = None
    normalization: Annotated[
        str | None,
        typer.Option(
            metavar="raw|standard|half|bytes|MEAN,STD",
            help="Pixels that bare weights, or an ONNX file of your own, expect: 0 to 1, zero mean "
            "and unit variance, -1 to 1, 0 to 255, or (0..1 - MEAN) / STD.",
            show_default="what training --model here would use",
        ),
    ] = None
    stem: Annotated[
        Literal["stock", "small"] | None,
        typer.Option(
            help="First convolution of a torchvision network with bare weights: torchvision's own "
            "stride, or 1 as in networks trained here.",
            show_default="stock, unless saved here",
        ),
    ] = None
    classes: Annotated[
        str | None, typer_option(OPTIONS["classes"], OPTIONS["classes"].unset or "")
    ] = None

    def as_arguments(self) -> dict[str, Any]:
        """The keyword arguments of `inference.loading.load`. Raises UsageError."""
        from fmnist_cli.data.class_names import split_classes
        from fmnist_cli.data.normalization import Normalization

        arguments = asdict(self)
        if self.normalization is not None:
            arguments["normalization"] = Normalization.parse(self.normalization)
        return {**arguments, "classes": split_classes(self.classes)}


@dataclass(frozen=True, slots=True)
class LoadOptions(ModelOptions):
    """What the user says about a model and what runs it."""

    device: Annotated[str, typer_option(OPTIONS["device"], "auto")] = "auto"
    threads: Annotated[
        int | None, typer_option(OPTIONS["threads"], OPTIONS["threads"].unset or "")
    ] = None

    def __post_init__(self) -> None:
        OPTIONS["threads"].check(self.threads)


PrecisionOption = Annotated[
    Literal["auto", "fp32", "bf16", "fp16"], typer.Option(help=OPTIONS["precision"].help)
]
PhotoOption = Annotated[Literal["auto", "on", "off"], typer.Option(help=OPTIONS["photo"].help)]
SplitOption = Annotated[
    Literal["test", "val", "train"],
    typer.Option(help="Split to evaluate; val and train as the model's training split them."),
]
TtaOption = Annotated[
    bool, typer.Option("--tta", help="Average predictions over each image and its mirror image.")
]
TopKOption = Annotated[
    int, typer.Option(metavar="N", min=1, max=MAX_CLASSES, help="Classes to list per image.")
]
TableOrJson = Annotated[Literal["table", "json"], typer.Option("--format", help="Output format.")]
TableJsonOrCsv = Annotated[
    Literal["table", "json", "csv"], typer.Option("--format", help="Output format.")
]
