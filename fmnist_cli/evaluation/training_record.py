"""The data to evaluate a model on, by default the data that its file records."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, TypeAlias

from fmnist_cli.data.images import LabeledImages
from fmnist_cli.data.layouts import ARRAYS
from fmnist_cli.data.pictures import PhotoMode
from fmnist_cli.data.sources import Source, open_source
from fmnist_cli.errors import MissingInput, UsageError, in_one_line
from fmnist_cli.inference.classifier import Classifier

Split: TypeAlias = Literal["test", "val", "train"]


def open_evaluated(
    classifier: Classifier,
    spec: str | None,
    *,
    test_data: str | None = None,
    data_dir: Path | None = None,
    mirrors: Sequence[str] = (),
    photo: PhotoMode = "auto",
) -> Source:
    """Open the data to evaluate a model on; without `spec`, the data that it was trained on.

    Raises as `open_source`, and UsageError if neither names the data.
    """
    trained_on, is_recorded = classifier.trained_on, spec is None
    if spec is None:
        if trained_on is None:
            raise UsageError(f"'{classifier.path}' records no data; name it: --data fashion-mnist")
        if trained_on.kind == ARRAYS:
            raise UsageError(
                f"'{classifier.path}' was trained on arrays of a Python program\n"
                "name data to evaluate it on: --data NAME|PATH"
            )
        spec, test_data = trained_on.spec, test_data or trained_on.test_spec
    is_own = trained_on is not None and spec == trained_on.spec
    try:
        return open_source(
            spec,
            test_data=test_data,
            data_dir=data_dir,
            mirrors=mirrors,
            photo=photo,
            classes=classifier.classes if is_own else None,
        )
    except MissingInput:
        if not is_recorded:
            raise
        shown = in_one_line(spec)
        raise MissingInput(
            f"the data that '{classifier.path}' was trained on is gone: '{shown}'\n"
            "name other data: --data NAME|PATH"
        ) from None


def read_split(
    source: Source, split: Split, classifier: Classifier, *, any_footwear: bool = False
) -> LabeledImages:
    """Read the images of a split, with the classes of the model.

    `val` is the part held out of the training split for model selection. `train` is the part that
    the model was trained on. If it was trained on other data, both are the data's own splits; data
    without a test or validation split, such as a directory of photos, is taken as a whole.
    any_footwear: see `image_directory.read`.
    Raises UsageError if there is no such split.
    """
    trained_on, classes = classifier.trained_on, classifier.classes
    if split == "test":
        own = trained_on if trained_on is not None and trained_on.spec == source.spec else None
        has_test = source.has_test_split()
        if own is not None and own.val_size and not has_test:
            raise source.no_test_split("val")
        has_split = has_test or own is not None or source.has_val_split()
        return source.read("test" if has_split else "train", classes, any_footwear=any_footwear)
    training = source.read_training(classes)
    splits = training.splits()
    if split in splits and (trained_on is None or not trained_on.describes(training.images)):
        return splits[split]
    if trained_on is None or (split == "val" and not trained_on.val_size):
        raise UsageError("the model was trained without a validation split; use --split test")
    train, val = trained_on.divide(training.images)
    return train if split == "train" else val
