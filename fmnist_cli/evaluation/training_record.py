"""The data that a model is evaluated on, which its file may name."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, TypeAlias

from fmnist_cli.checkpoints.metadata import DataRecord
from fmnist_cli.data.images import LabeledImages
from fmnist_cli.data.sources import Source, open_source
from fmnist_cli.errors import MissingInput, UsageError, in_one_line
from fmnist_cli.inference.classifier import Classifier

Split: TypeAlias = Literal["test", "val", "train"]


def open_judged(
    classifier: Classifier,
    spec: str | None,
    *,
    test_data: str | None = None,
    data_dir: Path | None = None,
    mirrors: Sequence[str] = (),
) -> Source:
    """Name the data to judge a model on; without `spec` the data that it was trained on.

    Raises as `open_source`, and UsageError where nothing names the data.
    """
    if spec is not None:
        return open_source(spec, test_data=test_data, data_dir=data_dir, mirrors=mirrors)
    trained_on = classifier.trained_on
    if trained_on is None:
        raise UsageError(f"'{classifier.path}' records no data; name it: --data fashion-mnist")
    try:
        return open_source(
            trained_on.spec,
            test_data=test_data or trained_on.test_spec,
            data_dir=data_dir,
            mirrors=mirrors,
        )
    except MissingInput:
        shown = in_one_line(trained_on.spec)
        raise MissingInput(
            f"the data that '{classifier.path}' was trained on is gone: '{shown}'\n"
            "name the data to judge it on: --data NAME|PATH"
        ) from None


def read_split(source: Source, split: Split, trained_on: DataRecord | None) -> LabeledImages:
    """Read the images to judge.

    `val` is what the model was selected on; `train` what it learnt from or, of data that it does
    not know, the whole training split. Raises UsageError where there is no validation split.
    """
    if split == "test":
        return source.read("test")
    if split == "val" and (trained_on is None or not trained_on.val_size):
        raise UsageError("the model was trained without a validation split; judge --split test")
    data = source.read("train")
    if trained_on is None or (split == "train" and not trained_on.describes(data)):
        return data
    learnt, held_out = trained_on.divide(data)
    return learnt if split == "train" else held_out
