"""Images on which an export is proved and calibrated: never test images, never from the network."""

from pathlib import Path
from typing import Any

from fmnist_cli.data import sample
from fmnist_cli.data.images import Images, LabeledImages
from fmnist_cli.data.layouts import OFFICIAL
from fmnist_cli.data.sources import open_source
from fmnist_cli.data.splits import divide
from fmnist_cli.errors import FmnistError, MissingInput


def training_and_validation(
    metadata: dict[str, Any], data_dir: Path | None
) -> tuple[LabeledImages, LabeledImages]:
    """The two parts of the training split as the model's own training cut them.

    Reads what is on this machine alone. Raises MissingInput where that is nothing, DataError where
    it can't be read.
    """
    recorded = metadata.get("data", {})
    spec = recorded.get("spec")
    if not isinstance(spec, str):
        raise MissingInput("the model does not record what it was trained on")
    if spec == OFFICIAL:
        _require_official_files(data_dir)
    classes = tuple(metadata["classes"])
    data = open_source(spec, data_dir=data_dir, classes=classes).read_training(classes)
    return divide(data.images, recorded.get("val_size") or 0, recorded.get("split_seed"))


def parity_images(
    metadata: dict[str, Any], count: int, data_dir: Path | None
) -> tuple[Images, str]:
    """At most `count` images, and where they are from.

    Validation images first, then training images; the sample if the data is not on this machine.
    """
    try:
        training, validation = training_and_validation(metadata, data_dir)
    except FmnistError:
        stand_in = sample.read("train").images[:count]
        return stand_in, "sample: the training data is not here"
    import numpy as np

    images = np.concatenate([validation.images, training.images[: max(0, count - len(validation))]])
    if len(validation) >= count:
        source = "validation split"
    elif len(validation):
        source = "validation and training split"
    else:
        source = "training split: there is no validation split"
    return images[:count], source


def _require_official_files(data_dir: Path | None) -> None:
    """Keep the source from downloading: raises MissingInput or DataError instead."""
    from fmnist_cli.data.download import default_folder, verify

    verify(data_dir or default_folder(), ("train",))
