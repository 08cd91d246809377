"""The packaged model and its name.

It is a model file like any other; `make pretrained` trains, measures and writes it.
"""

import shlex
from pathlib import Path
from typing import Final

from fmnist_cli.errors import MissingInput, did_you_mean

NAME: Final = "pretrained"
"""Names the packaged model wherever a model is named; a file of that name is `./pretrained`."""
FILE: Final = Path(__file__).with_name("pretrained.pt")


def locate(model: str | Path) -> Path:
    """The file of a model that was named as text; a `Path` is always a file.

    Raises MissingInput if the packaged model is named but not installed.
    """
    if model != NAME:
        return Path(model)
    if not FILE.is_file():
        raise MissingInput(
            f"this installation lacks the packaged model '{FILE}'\n"
            "in a source checkout, write it: make pretrained"
        )
    return FILE


def name_of(path: Path) -> str:
    """A model's name on the screen: what was typed for it."""
    return NAME if path == FILE else str(path)


def no_model(path: Path) -> MissingInput:
    """The error for a missing model: suggests a similar name."""
    beside = [str(file) for file in path.parent.glob("*") if file.suffix in (".pt", ".onnx")]
    hint = did_you_mean(str(path), [NAME, *beside], likeness=0.75)
    advice = f"train one: fmnist train --output {shlex.quote(str(path))}"
    if path.suffix == ".onnx":
        advice = f"export one: fmnist export-onnx MODEL --output {shlex.quote(str(path))}"
    return MissingInput(f"no model at '{path}'{hint}\n{advice}; or use the packaged one: {NAME}")
