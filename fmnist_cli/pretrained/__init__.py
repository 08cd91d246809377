"""The model that comes with the program, under a name of its own.

It is a model file like any other; `make pretrained` trains it, measures it and writes it.
"""

from pathlib import Path
from typing import Final

from fmnist_cli.errors import MissingInput, did_you_mean

NAME: Final = "pretrained"
"""Stands for the model wherever one is named; a file that is called the same is `./pretrained`."""
FILE: Final = Path(__file__).with_name("pretrained.pt")


def locate(model: str | Path) -> Path:
    """The file of a model that was named as text; a `Path` is that file, whatever it is called.

    Raises MissingInput where the name stands for the program's own model and it was left out.
    """
    if model != NAME:
        return Path(model)
    if not FILE.is_file():
        raise MissingInput(
            f"this installation has no model of its own: there is no '{FILE}'\n"
            "write it in a source checkout: make pretrained"
        )
    return FILE


def name_of(path: Path) -> str:
    """How a model is called on the screen: by what was typed for it."""
    return NAME if path == FILE else str(path)


def no_model(path: Path) -> MissingInput:
    """The error for a model that is not there: names one that may have been meant."""
    beside = [str(file) for file in path.parent.glob("*") if file.suffix in (".pt", ".onnx")]
    hint = did_you_mean(str(path), [NAME, *beside], likeness=0.75)
    return MissingInput(
        f"no model at '{path}'{hint}\n"
        f"train one: fmnist train --output {path}; '{NAME}' comes with the program"
    )
