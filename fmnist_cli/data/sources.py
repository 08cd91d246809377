"""`--data NAME|PATH` to the reader of that data."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal

from fmnist_cli.constants import CLASS_NAMES
from fmnist_cli.data import arrays, csv, download, idx, image_directory, layouts, parquet, sample
from fmnist_cli.data.class_names import difference
from fmnist_cli.data.images import LabeledImages, join
from fmnist_cli.data.layouts import NAMED, OFFICIAL, SAMPLE, Kind, Split
from fmnist_cli.data.pictures import PhotoMode
from fmnist_cli.errors import DataError, UsageError, in_one_line

JOINT: Final = " + "
"""Stands between the sources of joined data."""
_FEWEST: Final = 10
"""Images of the sample that can be trained on."""


@dataclass(frozen=True, slots=True)
class Source:
    """Data that is named and checked, but not yet read."""

    spec: str
    kind: Kind
    test_spec: str | None = None
    """What names the test split if `spec` does not."""
    data_dir: Path | None = None
    mirrors: Sequence[str] = ()
    workers: int = 0
    photo: PhotoMode = "auto"
    classes: tuple[str, ...] | None = None
    """What `--classes` names; None: the data decides."""
    owner: str = "the model"
    """What has the classes that `read` is given, for errors."""
    parts: "tuple[Source, ...]" = ()
    """The sources of joined data."""

    @property
    def is_sample(self) -> bool:
        """Whether the images are the package's sample, too few for an exact score."""
        return self.kind == SAMPLE

    def read(
        self,
        split: Split,
        classes: tuple[str, ...] | None = None,
        *,
        any_footwear: bool = False,
    ) -> LabeledImages:
        """Read one split. Reading `train` neither opens nor needs anything of `test`.

        classes: a model's, which the data must have; None: the data's own.
        any_footwear: see `image_directory.read`.
        Raises UsageError if nothing names the test split, DataError if the classes differ, and what
        the reader raises.
        """
        directory, own = Path(self.spec), self.classes
        if classes is None and own is not None:
            return replace(self, owner="--classes").read(split, own, any_footwear=any_footwear)
        if classes is None:
            if split == "test" and self.kind == "folder":
                # The classes of the training split, even if the test split lacks some of them.
                training = image_directory.split_directory(directory, "train")
                classes = image_directory.find_classes(training or directory)
        elif self.kind in NAMED and classes != (own or CLASS_NAMES):
            raise DataError(f"'{self.spec}': {difference(own or CLASS_NAMES, classes, self.owner)}")
        if split == "test" and self.test_spec is not None:
            return self._read_path(Path(self.test_spec), split, classes, any_footwear)
        if self.parts:
            return join(*self._read_parts(split, classes, any_footwear))
        if self.kind == OFFICIAL:
            return idx.read(self.fetch(split), split, classes or CLASS_NAMES)
        if self.kind == SAMPLE:
            count = self.spec.partition(":")[2]
            images = replace(sample.read(split), classes=classes or CLASS_NAMES)
            return images[: int(count)] if count and split == "train" else images
        if split == "test" and not self.has_test_split():
            raise self.no_test_split("val" if self.has_val_split() else "train")
        return self._read_path(directory, split, classes, any_footwear)

    def _read_parts(
        self, split: Split, classes: tuple[str, ...] | None, any_footwear: bool = False
    ) -> list[LabeledImages]:
        """The sources' splits; the first decides on the classes if nothing else does."""
        parts = [part for part in self.parts if split == "train" or part.has_test_split()]
        if not parts:
            raise self.no_test_split()
        owner = f"'{parts[0].spec}'" if classes is None else self.owner
        read: list[LabeledImages] = []
        for part in parts:
            source = replace(part, owner=owner if read else self.owner)
            read.append(source.read(split, classes, any_footwear=any_footwear))
            classes = read[0].classes
        return read

    def read_training(self, classes: tuple[str, ...] | None = None) -> "TrainingData":
        """Read what training may see. Raises as `read`."""
        if self.parts:
            read = self._read_parts("train", classes)
            return TrainingData(join(*read), None, tuple(map(len, read)))
        train, val = self.read("train", classes), self._val_directory()
        if val is None:
            return TrainingData(train, None, (len(train),))
        held_out = self._read_path(val, "train", train.classes)
        size = len(train) + len(held_out)
        return TrainingData(join(train, held_out), len(held_out), (size,))

    def has_test_split(self) -> bool:
        """Whether something names a test split; its files may still be missing."""
        if self.test_spec is not None:
            return True
        if self.parts:
            return any(part.has_test_split() for part in self.parts)
        path = Path(self.spec)
        match self.kind:
            case "csv":
                return csv.find(path, "test") is not None
            case "npz":
                return arrays.has_split(path, "test")
            case "parquet":
                return bool(parquet.find(path, "test"))
            case "folder":
                return image_directory.split_directory(path, "test") is not None
        return True

    def has_val_split(self) -> bool:
        """Whether this is a directory of images with a validation split of its own."""
        return self._val_directory() is not None

    def _val_directory(self) -> Path | None:
        is_folder = self.kind == "folder"
        return image_directory.split_directory(Path(self.spec), "val") if is_folder else None

    def no_test_split(self, other: Literal["val", "train"] | None = None) -> UsageError:
        """The error for data without a test split; `other` is the split to take instead."""
        images = "the validation images" if other == "val" else "these images"
        advice = f", or take {images}: --split {other}" if other else ""
        return UsageError(f"'{self.spec}' names no test split\nname one: --test-data PATH{advice}")

    def _read_path(
        self,
        path: Path,
        split: Split,
        classes: tuple[str, ...] | None,
        any_footwear: bool = False,
    ) -> LabeledImages:
        """Read a split, or all images if `path` names no splits."""
        names = classes or CLASS_NAMES
        match layouts.kind_of_path(str(path)):
            case "csv":
                return csv.read(path, split, names)
            case "idx":
                return idx.read(path, split, names)
            case "npz":
                return arrays.read(path, split, names)
            case "parquet":
                return parquet.read(path, split, names, photo=self.photo)
        return image_directory.read(
            image_directory.find_split(path, split),
            classes,
            photo=self.photo,
            owner=self.owner,
            any_footwear=any_footwear,
            threads=self.workers,
            cache=(self.data_dir or download.default_folder()) / "prepared",
        )

    def fetch(self, split: Split, track: download.Track | None = None) -> Path:
        """Download a split's missing official files; returns the data directory."""
        folder = self.data_dir or download.default_folder()
        download.fetch(folder, mirrors=self.mirrors, splits=(split,), track=track)
        return folder


@dataclass(frozen=True, slots=True)
class TrainingData:
    """What training may see: all but the test split."""

    images: LabeledImages
    val_size: int | None
    """Images at the end that are a validation split of the data's own, as only a directory with
    `train` and `val` has; None without one."""
    sizes: tuple[int, ...]
    """Images of each source, in order."""

    def splits(self) -> dict[str, LabeledImages]:
        """The images by the split that the data puts them in: `train` and, if it exists, `val`."""
        if self.val_size is None:
            return {"train": self.images}
        return {"train": self.images[: -self.val_size], "val": self.images[-self.val_size :]}


def open_source(
    spec: str = OFFICIAL,
    *,
    test_data: str | None = None,
    data_dir: Path | None = None,
    mirrors: Sequence[str] = (),
    workers: int = 0,
    photo: PhotoMode = "auto",
    classes: tuple[str, ...] | None = None,
) -> Source:
    """Name data as `--data` and `--test-data` do; nothing is read before `Source.read`.

    `A + B` is the joined data of several. A name wins over a folder that is called the same: that
    one is `./NAME`. `sample:N` is the sample with its first N training images alone.
    `data_dir`, `mirrors`: as `download.fetch` takes them, for the official files.
    `workers`: threads that decode the pictures of a directory; 0: one per usable core.
    `photo`: which of them to prepare as photos.
    `classes`: names by label, for data that does not have its own or Fashion-MNIST's.
    Raises UsageError for a name that does not exist or options that do not fit, MissingInput for a
    path that does not, DataError for an archive that holds no data.
    """
    # Unlike pathlib's, `os.path.exists` takes names of any length.
    is_joined = JOINT in spec and not os.path.exists(spec)  # noqa: PTH110
    kind: Kind = "joined" if is_joined else _kind(spec)
    if test_data is not None:
        if kind in NAMED:
            raise UsageError(f"'{spec}' has its own test split; --test-data does not go with it")
        if not os.path.exists(test_data):  # noqa: PTH110 - `read` alone opens it
            raise layouts.no_such_data(test_data)
    source = Source(spec, kind, test_data, data_dir, tuple(mirrors), workers, photo, classes)
    if not is_joined:
        return source
    parts = [replace(source, spec=a, kind=_kind(a), test_spec=None) for a in spec.split(JOINT)]
    return replace(source, parts=tuple(parts))


def _kind(spec: str) -> Kind:
    name, colon, number = spec.partition(":")
    if spec == OFFICIAL:
        return OFFICIAL
    if name != SAMPLE:
        return layouts.kind_of_path(spec)
    most = sample.TRAIN_IMAGES
    is_number = re.fullmatch("[0-9]{1,8}", number)
    if colon and not (is_number and _FEWEST <= int(number) <= most):
        raise UsageError(
            f"'{SAMPLE}:{in_one_line(number)}' has no valid number of images; "
            f"expected {_FEWEST} to {most:,}, such as {SAMPLE}:1000"
        )
    return SAMPLE
