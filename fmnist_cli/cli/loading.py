"""Load the model that a command names, with the options for what its file does not tell."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import typer

from fmnist_cli.cli import console
from fmnist_cli.cli.config_options import set_parameters
from fmnist_cli.cli.options import ClassesOption
from fmnist_cli.constants import CLASS_NAMES
from fmnist_cli.pretrained import NAME as PRETRAINED

if TYPE_CHECKING:
    from fmnist_cli.inference.classifier import Classifier


@dataclass(frozen=True, slots=True)
class ModelOptions:
    """What the user says about a model: its network's code, or all of bare weights."""

    network: Annotated[
        str | None,
        typer.Option(
            "--model",
            metavar="NAME|FILE.py:CLASS",
            help="Network of a MODEL that is your own, or holds bare weights (a state_dict).",
            show_default=False,
        ),
    ] = None
    normalization: Annotated[
        str | None,
        typer.Option(
            "--normalization",
            metavar="raw|standard|half|bytes|MEAN,STD",
            help="Pixels that bare weights, or an ONNX file of your own, expect: 0 to 1, zero mean "
            "and unit variance, -1 to 1, 0 to 255, or (0..1 - MEAN) / STD.",
            show_default="what training --model here would use",
        ),
    ] = None
    stem: Annotated[
        Literal["stock", "small"] | None,
        typer.Option(
            "--stem",
            help="First convolution of a torchvision network with bare weights: torchvision's own "
            "stride, or 1 as in networks trained here.",
            show_default="stock, unless saved here",
        ),
    ] = None
    classes: ClassesOption = None

    def as_arguments(self) -> dict[str, Any]:
        """The keyword arguments of `inference.loading.load`. Raises UsageError."""
        from fmnist_cli.data.class_names import split_classes
        from fmnist_cli.data.normalization import Normalization

        text = self.normalization
        return {
            "network": self.network,
            "normalization": None if text is None else Normalization.parse(text),
            "stem": self.stem,
            "classes": split_classes(self.classes),
        }

    def as_words(self) -> list[str]:
        """The same on a command line."""
        flags = {
            "--model": self.network,
            "--normalization": self.normalization,
            "--stem": self.stem,
            "--classes": self.classes,
        }
        return [
            word for flag, value in flags.items() if value is not None for word in (flag, value)
        ]

    def for_file(self, path: Path) -> "ModelOptions":
        """What applies to one of several models: nothing, if it describes itself."""
        from fmnist_cli.checkpoints.archive import has_metadata, read_metadata

        if not has_metadata(path):
            return self
        is_own = path.suffix.lower() != ".onnx" and ":" in read_metadata(path).network.name
        return ModelOptions(self.network if is_own else None)


NOTHING_TOLD: Final = ModelOptions()
_WITHOUT_PHOTOS: Final = ("fashion-mnist", "sample", "idx", "csv")
"""Kinds of data that hold images of the data set's form."""


def takes_model_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command these options; it receives them as its parameter `model_options`."""
    derived = inspect.signature(ModelOptions).parameters

    @wraps(command)
    def with_options(**values: Any) -> None:
        given = ModelOptions(**{name: values.pop(name) for name in derived})
        command(**values, model_options=given)

    parameters = [*inspect.signature(command).parameters.values()]
    place = [own.name for own in parameters].index("model_options")
    set_parameters(with_options, [*parameters[:place], *derived.values(), *parameters[place + 1 :]])
    return with_options


def load_model(
    path: Path,
    options: ModelOptions,
    *,
    device: str = "auto",
    threads: int | None = None,
    precision: str = "fp32",
) -> "Classifier":
    """Load a model; what had to be assumed about bare weights is reported on stderr."""
    from fmnist_cli.inference.loading import load

    classifier = load(
        path, **options.as_arguments(), device=device, threads=threads, precision=precision
    )
    if classifier.assumed:
        console.note(classifier.assumed)
    return classifier


def note_on_photos(classifier: "Classifier", name: str) -> None:
    """Report that a model of garments was trained without photos, if its file says so.

    Initial weights may have been trained with photos, and other classes need not be garments. The
    packaged model and its exports, recognized by `measured`, were too.
    """
    metadata = classifier.metadata
    if metadata is None or metadata.data is None or metadata.classes != CLASS_NAMES:
        return
    may_know_photos = (metadata.config or {}).get("weights") or "measured" in metadata.extra
    if metadata.data.kind in _WITHOUT_PHOTOS and not may_know_photos:
        console.note(
            f"{name} was trained without photos and often misclassifies them; "
            f"for photos, use the packaged model: {PRETRAINED}"
        )
