"""Named data, and the kind of data that a path holds."""

from pathlib import Path
from typing import Final, Literal, TypeAlias

from fmnist_cli.data import arrays, csv, idx, parquet
from fmnist_cli.data.image_files import PICTURE_SUFFIXES
from fmnist_cli.data.packed import is_zip, list_files, starts_with
from fmnist_cli.errors import (
    DataError,
    FmnistError,
    MissingInput,
    UsageError,
    did_you_mean,
    in_one_line,
)
from fmnist_cli.files import similar_path

Kind: TypeAlias = Literal[
    "fashion-mnist", "sample", "csv", "idx", "npz", "parquet", "folder", "arrays", "joined"
]
Split: TypeAlias = Literal["train", "test"]

OFFICIAL: Final = "fashion-mnist"
SAMPLE: Final = "sample"
ARRAYS: Final = "arrays"
"""Kind and name of images that a Python program trains on."""
NAMED: Final = (OFFICIAL, SAMPLE)
"""Data with a name: the same images on every machine."""
_EXPECTED: Final = (
    f"expected {OFFICIAL}, {SAMPLE}, a CSV file, a .npz or .parquet file, a directory of IDX "
    "files, or a directory with one subdirectory of images per class"
)


def kind_of_path(spec: str) -> Kind:
    """Detect the kind of data. Raises MissingInput or UsageError if the path does not exist."""
    if not spec:  # Path("") would be the working directory
        raise no_such_data(spec)
    path = Path(spec)
    try:
        if path.is_dir():
            return _kind_of_directory(path)
        if path.is_file():
            return _kind_of_file(path)
    except OSError as error:
        raise MissingInput(f"'{spec}' can't be read: {error.strerror}") from None
    raise no_such_data(spec)


def _kind_of_directory(path: Path) -> Kind:
    has_directories = any(
        entry.is_dir() and not entry.name.startswith((".", "__")) for entry in path.iterdir()
    )
    if idx.find(path, "train") or idx.find(path, "test"):
        return "idx"
    files = list_files(path)
    if {"run.toml", "history.csv"} <= {file.name for file in files}:
        model = path / "last.pt"
        raise DataError(
            f"'{path}' is a training run, not data\n"
            f"to compare runs: fmnist runs; to describe its model: fmnist info {model}"
        )
    tables = csv.tables(files)
    if tables and not has_directories:
        has_pictures = any(Path(file.name).suffix.lower() in PICTURE_SUFFIXES for file in files)
        is_list = has_pictures and not any(map(csv.has_pixels, tables))
        return "folder" if is_list else "csv"  # as a folder, the pictures lack their classes
    if any(idx.is_named(file) for file in files):
        return "idx"
    if parquet.find(path, "train") or parquet.find(path, "test"):
        return "parquet"
    return "folder"


def _kind_of_file(path: Path) -> Kind:
    if idx.is_idx(path):
        raise UsageError(f"'{path}' is one IDX file; name the directory that holds it")
    suffix = path.suffix.lower()
    if suffix == ".parquet" or starts_with(path, parquet.MAGIC):
        return "parquet"
    if suffix == ".npz":
        return "npz"
    if not is_zip(path):
        return "csv"
    if arrays.is_npz(path):
        return "npz"
    if idx.find(path, "train"):
        return "idx"
    if csv.tables(list_files(path)):
        return "csv"
    raise DataError(f"'{path}' is a zip archive without CSV files, IDX files or arrays")


def no_such_data(spec: str) -> FmnistError:
    """The error for a name that is neither data nor a path."""
    if spec == ARRAYS:
        return UsageError(
            f"'{ARRAYS}' stands for the images of a Python program, which no file holds\n"
            "name data: --data NAME|PATH; or train on the images again from Python"
        )
    shown = in_one_line(spec)  # it may come out of a model file
    if Path(spec).name != spec or "." in spec:  # it looks like a path, not like a name
        return MissingInput(f"no file or directory at '{shown}'{similar_path(spec)}\n{_EXPECTED}")
    hint = similar_path(spec) or did_you_mean(spec.lower(), NAMED, likeness=0.5)
    return UsageError(
        f"unknown data '{shown}': not a known name, and no such file or directory{hint}\n"
        f"{_EXPECTED}"
    )
