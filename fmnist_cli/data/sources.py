"""`--data NAME|PATH` to the reader of that data."""

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypeAlias

from fmnist_cli.constants import CLASS_NAMES, FILES, NUM_CLASSES
from fmnist_cli.data import csv, download, idx, image_directory, sample
from fmnist_cli.data.images import LabeledImages
from fmnist_cli.data.pictures import PhotoMode
from fmnist_cli.errors import (
    DataError,
    FmnistError,
    MissingInput,
    UsageError,
    did_you_mean,
    in_one_line,
)

Kind: TypeAlias = Literal["fashion-mnist", "sample", "csv", "idx", "folder"]
Split: TypeAlias = Literal["train", "test"]

OFFICIAL: Final = "fashion-mnist"
SAMPLE: Final = "sample"
NAMED: Final = (OFFICIAL, SAMPLE)
"""Data with a name: the same images on every machine."""
_EXPECTED: Final = (
    f"expected {OFFICIAL}, {SAMPLE}, a CSV file, a folder of IDX files, "
    "or a folder with one sub-folder of images per class"
)


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

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names by label."""
        return CLASS_NAMES

    @property
    def is_sample(self) -> bool:
        """Whether the images are the package's sample, too few for an exact score."""
        return self.kind == SAMPLE

    def read(self, split: Split, *, any_footwear: bool = False) -> LabeledImages:
        """Read one split. Reading `train` neither opens nor needs anything of `test`.

        any_footwear: see `image_directory.read`.
        Raises UsageError where nothing names the test split, and what the reader raises.
        """
        match self.kind:
            case "fashion-mnist":
                return _read_idx(self.fetch(split, self.track), split)
            case "sample":
                n = self.spec.partition(":")[2]
                images = sample.read(split)
                return images[: int(n)] if n and split == "train" else images
        if split == "test" and self.test_spec is not None:
            return self._read_path(Path(self.test_spec), split, any_footwear)
        path = Path(self.spec)
        if split == "test" and not self.has_test_split():
            raise UsageError(
                f"'{path}' names no test split\n"
                "name one: --test-data PATH, or take these images: --split train"
            )
        return self._read_path(path, split, any_footwear)

    def has_test_split(self) -> bool:
        """Whether something names a test split; its files may still be missing."""
        if self.kind in NAMED or self.kind == "idx" or self.test_spec is not None:
            return True
        path = Path(self.spec)
        return self.kind == "folder" and _split_directory(path, "test") != path

    def _read_path(self, path: Path, split: Split, any_footwear: bool) -> LabeledImages:
        match _kind_of_path(str(path)):
            case "csv":
                return csv.read(path)
            case "idx":
                return _read_idx(path, split)
        return image_directory.read(
            _split_directory(path, split),
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


def open_source(
    spec: str = OFFICIAL,
    *,
    test_data: str | None = None,
    data_dir: Path | None = None,
    mirrors: Sequence[str] = (),
    workers: int = 0,
    photo: PhotoMode = "auto",
    track: download.Track | None = None,
) -> Source:
    """Name data as `--data` and `--test-data` do; nothing is read before `Source.read`.

    A name wins over a folder that is called the same: that one is `./NAME`. `sample:N` is the
    sample with its first N training images alone.
    `data_dir`, `mirrors`, `track`: as `download.fetch` takes them, for the official files.
    `workers`: threads that decode the pictures of a directory; 0: one per usable core.
    `photo`: which of them to prepare as photos.
    Raises UsageError for a name that does not exist or options that do not fit, MissingInput for a
    path that does not.
    """
    name, colon, number = spec.partition(":")
    kind: Kind
    if spec == OFFICIAL:
        kind = "fashion-mnist"
    elif name == SAMPLE:
        kind = "sample"
        if colon:
            _check_count(number)
    else:
        kind = _kind_of_path(spec)
    if test_data is not None:
        if kind in NAMED:
            raise UsageError(f"'{spec}' has its own test split; --test-data does not go with it")
        _check_exists(test_data)
    return Source(spec, kind, test_data, data_dir, tuple(mirrors), workers, photo, track)


def _check_count(number: str) -> None:
    most = sample.TRAIN_IMAGES
    if not re.fullmatch("[0-9]{1,8}", number) or not NUM_CLASSES <= int(number) <= most:
        raise UsageError(
            f"'{SAMPLE}:{in_one_line(number)}' names no number of images; "
            f"expected {NUM_CLASSES} to {most:,}, such as {SAMPLE}:1000"
        )


def _check_exists(test_spec: str) -> None:
    """Notice a wrong path now, without opening what is there: only `Source.read("test")` may."""
    with suppress(OSError):  # such as a name that is too long
        if test_spec and Path(test_spec).exists():
            return
    raise _no_such_data(test_spec)


def _kind_of_path(spec: str) -> Kind:
    """Tell by what is there. Raises MissingInput or UsageError where that is nothing."""
    if not spec:  # Path("") would be the working folder
        raise _no_such_data(spec)
    path = Path(spec)
    try:
        if path.is_dir():
            names = [file.name for files in FILES.values() for file in files]
            return "idx" if any(_find(path, name) for name in names) else "folder"
        if path.is_file():
            if idx.is_idx(path):
                raise UsageError(f"'{spec}' is one IDX file; name the folder that holds it")
            return "csv"
    except OSError as error:
        raise MissingInput(f"'{spec}' can't be read: {error.strerror}") from None
    raise _no_such_data(spec)


def _no_such_data(spec: str) -> FmnistError:
    shown = in_one_line(spec)  # it may come out of a model file
    if Path(spec).name != spec or "." in spec:  # it looks like a path, not like a name
        return MissingInput(f"no file or folder at '{shown}'\n{_EXPECTED}")
    if spec.partition(":")[0] == "synthetic":
        hint = f"; it was removed, use real images: --data {SAMPLE}"
    else:
        hint = did_you_mean(spec.lower(), NAMED, likeness=0.5)
    return UsageError(
        f"unknown data '{shown}': not a known name, and no such file or directory{hint}\n"
        f"{_EXPECTED}"
    )


def _split_directory(path: Path, split: Split) -> Path:
    """Where a directory of images keeps a split: in a subdirectory, or the directory itself."""
    found = image_directory.split_directory(path, split)
    if found is None and split == "test":  # many data sets have only these two
        found = image_directory.split_directory(path, "val")
    return found or path


def _read_idx(path: Path, split: Split) -> LabeledImages:
    """Read a split's two files, packed or not. Raises MissingInput where one is not there."""
    images_path, labels_path = (_find(path, file.name) or path / file.name for file in FILES[split])
    images, labels = idx.read_images(images_path), idx.read_labels(labels_path)
    if len(images) != len(labels):
        raise DataError(
            f"'{images_path}' holds {len(images):,} images, "
            f"but '{labels_path}' {len(labels):,} labels"
        )
    return LabeledImages(images, labels)


def _find(path: Path, name: str) -> Path | None:
    """The file of that name, or without its `.gz`."""
    candidates = (path / name, path / name.removesuffix(".gz"))
    return next((candidate for candidate in candidates if candidate.is_file()), None)
