"""What a model file records of its training data, and the data that a model is judged on."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal, TypeAlias

from fmnist_cli.data.images import LabeledImages
from fmnist_cli.data.sources import Source, open_source
from fmnist_cli.data.splits import divide
from fmnist_cli.errors import CheckpointError, DataError, MissingInput, UsageError, in_one_line
from fmnist_cli.inference.classifier import Classifier

Split: TypeAlias = Literal["test", "val", "train"]


@dataclass(frozen=True, slots=True)
class TrainingRecord:
    """The training data by name, and how its validation part was taken."""

    spec: str
    """As `--data` names it."""
    test_spec: str | None
    kind: str
    """See `fmnist_cli.data.sources.Kind`."""
    fingerprint: str
    """Of the training split with its validation part."""
    val_size: int
    split_seed: int

    @classmethod
    def of(cls, classifier: Classifier) -> "TrainingRecord | None":
        """Read a model's record; None where it has none.

        Raises CheckpointError where the record is not of the documented form.
        """
        record = classifier.metadata.get("data")
        if not record:
            return None
        if (
            not isinstance(record, dict)
            or not all(
                isinstance(record.get(field.name), field.type)  # type: ignore[arg-type]
                for field in fields(cls)
            )
            or min(record["val_size"], record["split_seed"]) < 0
        ):
            raise CheckpointError(f"'{classifier.path}' records its training data in another form")
        values: dict[str, Any] = {field.name: record.get(field.name) for field in fields(cls)}
        return cls(**values)

    def describes(self, data: LabeledImages) -> bool:
        """Whether `data` is the training split that the model was trained on."""
        return data.fingerprint() == self.fingerprint

    def divide(self, data: LabeledImages) -> tuple[LabeledImages, LabeledImages]:
        """The images that training learnt from, and those that it was selected on.

        `data` is not to be used afterwards. Raises DataError where it is not the training split
        that the model was trained on.
        """
        if not self.describes(data):
            raise DataError(
                f"this is not the training data of the model (fingerprint {data.fingerprint()}, "
                f"recorded {self.fingerprint}), so its validation split can't be rebuilt"
            )
        return divide(data, self.val_size, self.split_seed)


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
    trained_on = TrainingRecord.of(classifier)
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


def read_split(source: Source, split: Split, trained_on: TrainingRecord | None) -> LabeledImages:
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
