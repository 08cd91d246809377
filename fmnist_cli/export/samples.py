"""Images that verify and calibrate an export: never test images, never downloaded."""

from pathlib import Path

import numpy as np

from fmnist_cli.checkpoints.metadata import ModelMetadata
from fmnist_cli.data import sample
from fmnist_cli.data.download import default_folder, verify
from fmnist_cli.data.images import Images, LabeledImages
from fmnist_cli.data.layouts import OFFICIAL
from fmnist_cli.data.sources import open_source
from fmnist_cli.data.splits import divide
from fmnist_cli.errors import FmnistError, MissingInput


def training_and_validation(
    metadata: ModelMetadata, data_dir: Path | None
) -> tuple[LabeledImages, LabeledImages]:
    """The training split of a model's data, divided as for its training.

    Reads only files of this machine. Raises MissingInput if there are none, DataError if they can't
    be read.
    """
    record, classes = metadata.data, metadata.classes
    if record is None:
        raise MissingInput("the model does not record what it was trained on")
    if record.spec == OFFICIAL:  # or the source would download them
        verify(data_dir or default_folder(), ("train",))
    data = open_source(record.spec, data_dir=data_dir, classes=classes).read_training(classes)
    return divide(data.images, record.val_size, record.split_seed)


def parity_images(metadata: ModelMetadata, count: int, data_dir: Path | None) -> tuple[Images, str]:
    """Up to `count` images, and a description of their source.

    Validation images first, then training images; the sample if the data is not on this machine.
    """
    try:
        training, validation = training_and_validation(metadata, data_dir)
    except FmnistError:
        stand_in = sample.read("train").images[:count]
        return stand_in, "sample: the training data is not here"
    images = np.concatenate([validation.images, training.images[: max(0, count - len(validation))]])
    if len(validation) >= count:
        source = "validation split"
    elif len(validation):
        source = "validation and training split"
    else:
        source = "training split: there is no validation split"
    return images[:count], source
