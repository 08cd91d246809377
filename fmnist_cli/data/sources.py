"""`--data NAME|PATH` to the reader of that data."""

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from fmnist_cli.constants import CLASS_NAMES
from fmnist_cli.data import (
    arrays,
    csv,
    download,
    image_directory,
    layouts,
    parquet,
    sample,
)
from fmnist_cli.data.class_names import difference
from fmnist_cli.data.images import LabeledImages, join
from fmnist_cli.data.layouts import NAMED, OFFICIAL, SAMPLE, Kind, Split
from fmnist_cli.data.pictures import PhotoMode
from fmnist_cli.errors import (
    DataError,
    MissingInput,
    UsageError,
    in_one_line,
)

JOINT: Final = " + "
"""Stands between the sources of joined data."""
ARRAYS: Final = "arrays"
"""Kind and name of images that a Python program trains on."""

_FEWEST: Final = 10
"""Images of the sample that can be trained on."""


@dataclass(frozen=True, slots=True)
class Source:
    """Data that is named and checked, but not yet read."""

    spec: str
    kind: Kind
    test_spec: str | None = None
    """What names the test split where `spec` does not."""
    data_dir: Path | None = None
    mirrors: Sequence[str] = ()
    workers: int = 0
    photo: PhotoMode = "auto"
    track: download.Track | None = None
    classes: tuple[str, ...] | None = None
    """What `--classes` names; None: the data decides."""
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
        Raises UsageError where nothing names the test split, DataError where the classes differ,
        and what the reader raises.
        """
        if self.parts and not (split == "test" and self.test_spec):
            return join(*self._read_parts(split, classes, any_footwear=any_footwear))
        if classes is None:
            classes = self._own_classes(split)
        elif self.kind in NAMED and classes != (self.classes or CLASS_NAMES):
            raise DataError(f"'{self.spec}': {difference(self.classes or CLASS_NAMES, classes)}")
        match self.kind:
            case "fashion-mnist":
                folder = self.fetch(split, self.track)
                return layouts.read_idx(folder, split, classes or CLASS_NAMES)
            case "sample":
                n = self.spec.partition(":")[2]
                images = sample.read(split)
                if classes is not None:
                    images = LabeledImages(images.images, images.labels, classes)
                return images[: int(n)] if n and split == "train" else images
        if split == "test" and self.test_spec is not None:
            return self._read_path(Path(self.test_spec), split, classes, any_footwear)
        path = Path(self.spec)
        if split == "test" and not self.has_test_split():
            raise UsageError(
                f"'{path}' names no test split\n"
                "name one: --test-data PATH, or take these images: --split train"
            )
        return self._read_path(path, split, classes, any_footwear)

    def _read_parts(
        self, split: Split, classes: tuple[str, ...] | None, *, any_footwear: bool = False
    ) -> list[LabeledImages]:
        """The sources' splits; the first decides on the classes if nothing else does."""
        parts = [part for part in self.parts if split == "train" or part.has_test_split()]
        if not parts:
            raise UsageError(f"'{self.spec}' names no test split\nname one: --test-data PATH")
        read = [parts[0].read(split, classes, any_footwear=any_footwear)]
        for part in parts[1:]:
            read.append(part.read(split, read[0].classes, any_footwear=any_footwear))
        return read

    def _own_classes(self, split: Split) -> tuple[str, ...] | None:
        """The classes of the data; for a test split of pictures, those of the training split."""
        if self.classes is None and split == "test" and self.kind == "folder":
            return image_directory.find_classes(layouts.split_directory(Path(self.spec), "train"))
        return self.classes

    def read_training(self, classes: tuple[str, ...] | None = None) -> "TrainingData":
        """Read what training may see. Raises as `read`."""
        if self.parts:
            read = self._read_parts("train", classes)
            return TrainingData(join(*read), None, tuple(map(len, read)))
        train = self.read("train", classes)
        directory = Path(self.spec)
        has_all = self.kind == "folder" and image_directory.split_directory(directory, "test")
        place = image_directory.split_directory(directory, "val") if has_all else None
        if place is None:
            return TrainingData(train, None, (len(train),))
        val = self._read_path(place, "train", train.classes, any_footwear=False)
        return TrainingData(join(train, val), len(val), (len(train) + len(val),))

    def has_test_split(self) -> bool:
        """Whether something names a test split; its files may still be missing."""
        if self.test_spec is not None:
            return True
        if self.parts:
            return any(part.has_test_split() for part in self.parts)
        path = Path(self.spec)
        match self.kind:
            case "csv":
                return layouts.find_csv(path, "test") is not None
            case "npz":
                return arrays.has_split(path, "test")
            case "parquet":
                return bool(parquet.find(path, "test"))
            case "folder":
                return layouts.split_directory(path, "test") != path
        return True

    def _read_path(
        self,
        path: Path,
        split: Split,
        classes: tuple[str, ...] | None,
        any_footwear: bool,
    ) -> LabeledImages:
        """Read a split, or all images if `path` names no splits."""
        names = classes or CLASS_NAMES
        match layouts.kind_of_path(str(path)):
            case "csv":
                table = layouts.find_csv(path, split) or layouts.find_csv(path, "train")
                if table is None:
                    raise MissingInput(f"'{path}' holds no CSV file of the {split} split")
                return csv.read(table, names)
            case "idx":
                return layouts.read_idx(path, split, names)
            case "npz":
                found = split if arrays.has_split(path, split) else "train"
                return arrays.read(path, found, names)
            case "parquet":
                files = parquet.find(path, split) or parquet.find(path, "train")
                if not files:
                    raise MissingInput(f"'{path}' holds no parquet file of the {split} split")
                return parquet.read(files, names, photo=self.photo)
        return image_directory.read(
            layouts.split_directory(path, split),
            classes,
            photo=self.photo,
            any_footwear=any_footwear,
            threads=self.workers,
            cache=(self.data_dir or download.default_folder()) / "prepared",
        )

    def fetch(self, split: Split, track: download.Track | None = None) -> Path:
        """Put a split's official files into the data folder, if they are not; gives the folder."""
        folder = self.data_dir or download.default_folder()
        download.fetch(folder, mirrors=self.mirrors, splits=(split,), track=track)
        return folder


@dataclass(frozen=True, slots=True)
class TrainingData:
    """What training may see: all but the test split."""

    images: LabeledImages
    val_size: int | None
    """Images at the end that are a validation split of the data's own, as only a directory with
    `train`, `val` and `test` has; None without one."""
    sizes: tuple[int, ...]
    """Images of each source, in order."""


def open_source(
    spec: str = OFFICIAL,
    *,
    test_data: str | None = None,
    data_dir: Path | None = None,
    mirrors: Sequence[str] = (),
    workers: int = 0,
    photo: PhotoMode = "auto",
    track: download.Track | None = None,
    classes: tuple[str, ...] | None = None,
) -> Source:
    """Name data as `--data` and `--test-data` do; nothing is read before `Source.read`.

    `A + B` is the joined data of several. A name wins over a folder that is called the same: that
    one is `./NAME`. `sample:N` is the
    sample with its first N training images alone.
    `data_dir`, `mirrors`, `track`: as `download.fetch` takes them, for the official files.
    `workers`: threads that decode the pictures of a directory; 0: one per usable core.
    `photo`: which of them to prepare as photos.
    `classes`: names by label, for data that does not have its own or Fashion-MNIST's.
    Raises UsageError for a name that does not exist or options that do not fit, MissingInput for a
    path that does not, DataError for an archive that holds no data.
    """
    specs = spec.split(JOINT)
    if len(specs) > 1 and not Path(spec).exists():
        opened = partial(
            open_source,
            data_dir=data_dir,
            mirrors=mirrors,
            workers=workers,
            photo=photo,
            track=track,
            classes=classes,
        )
        if test_data is not None:
            _check_exists(test_data)
        parts = tuple(map(opened, specs))
        options = (tuple(mirrors), workers, photo, track, classes)
        return Source(spec, "joined", test_data, data_dir, *options, parts)
    name, colon, number = spec.partition(":")
    kind: Kind
    if spec == OFFICIAL:
        kind = "fashion-mnist"
    elif name == SAMPLE:
        kind = "sample"
        if colon:
            _check_count(number)
    else:
        kind = layouts.kind_of_path(spec)
    if test_data is not None:
        if kind in NAMED:
            raise UsageError(f"'{spec}' has its own test split; --test-data does not go with it")
        _check_exists(test_data)
    return Source(spec, kind, test_data, data_dir, tuple(mirrors), workers, photo, track, classes)


def _check_count(number: str) -> None:
    most = sample.TRAIN_IMAGES
    if not re.fullmatch("[0-9]{1,8}", number) or not _FEWEST <= int(number) <= most:
        raise UsageError(
            f"'{SAMPLE}:{in_one_line(number)}' names no number of images; "
            f"expected {_FEWEST} to {most:,}, such as {SAMPLE}:1000"
        )


def _check_exists(test_spec: str) -> None:
    """Notice a wrong path now, without opening what is there: only `Source.read("test")` may."""
    with suppress(OSError):  # such as a name that is too long
        if test_spec and Path(test_spec).exists():
            return
    raise layouts.no_such_data(test_spec)
