"""Hugging Face's parquet files: rows of `image`, an encoded picture, and `label`."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from fmnist_cli.constants import CLASS_NAMES
from fmnist_cli.data.images import Images, LabeledImages, Labels, as_labels
from fmnist_cli.data.packed import MAX_PACKED_ITEMS
from fmnist_cli.data.pictures import PhotoMode, decode, open_gray_png
from fmnist_cli.errors import DataError, MissingInput, StorageError, Unavailable

MAGIC: Final = b"PAR1"
"""The first bytes of a file."""
_SPLIT: Final = re.compile(r"(?:^|[^a-z])(train|test|validation|valid|val)(?:[^a-z]|$)")
_BATCH_ROWS: Final = 256
_MAX_HEADER_BYTES: Final = 1 << 20
_EXPECTED: Final = "expected columns 'image', with encoded pictures, and 'label'"


def find(path: Path, split: Literal["train", "test"]) -> list[Path]:
    """List the parquet files of a split, sorted: in a directory and those in it, or `path` itself.

    Files that name no split belong to `train`.
    """
    if path.is_file():
        return [path] if split == "train" else []
    found = []
    for file in sorted(path.rglob("*.parquet")):
        name = _SPLIT.search(file.relative_to(path).as_posix().lower())
        if (name[1] if name else "train") == split:
            found.append(file)
    return found


def read(
    directory: Path,
    split: Literal["train", "test"],
    classes: tuple[str, ...] = CLASS_NAMES,
    *,
    photo: PhotoMode = "auto",
) -> LabeledImages:
    """Read the images and labels (names of `classes` or numbers) of a split, file by file.

    If `directory`, which may be a single file, names no splits, all images are read.

    Gray pictures of 28×28 keep their pixels unless `photo` is `on`; all others are decoded as
    `pictures.decode` does.
    Raises Unavailable without the package pyarrow, MissingInput if there is no file of the split,
    StorageError if one can't be read and DataError for any other content.
    """
    paths = find(directory, split) or find(directory, "train")
    if not paths:
        raise MissingInput(f"'{directory}' holds no parquet file of the {split} split")
    images: list[Images] = []
    labels: list[Labels] = []
    for path in paths:
        first = len(images)
        for values, numbers in _batches(path):
            for value in values:
                try:
                    images.append(_decode(value, photo))
                except DataError as error:
                    raise DataError(f"'{path}', row {len(images) - first}: {error}") from None
            try:
                labels.append(as_labels(numbers, classes))
            except DataError as error:
                raise DataError(f"'{path}': {error}") from None
    if not images:
        raise DataError(f"'{paths[0]}' holds no rows")
    return LabeledImages(np.stack(images), np.concatenate(labels), classes)


def _batches(path: Path) -> Iterator[tuple[list[Any], NDArray[Any]]]:
    """Yield the values of `image` and `label`, some rows at a time."""
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ModuleNotFoundError:
        raise Unavailable(
            f"'{path}' needs the package 'pyarrow': pip install 'fmnist-cli[parquet]'"
        ) from None
    try:
        with parquet.ParquetFile(
            path,
            thrift_string_size_limit=_MAX_HEADER_BYTES,
            thrift_container_size_limit=_MAX_HEADER_BYTES,
            page_checksum_verification=True,
        ) as file:
            missing = {"image", "label"} - {*file.schema_arrow.names}
            if missing:
                found = ", ".join(file.schema_arrow.names[:8])[:200]
                raise DataError(f"'{path}' has the columns {found!r}\n{_EXPECTED}")
            if file.metadata.num_rows > MAX_PACKED_ITEMS:
                raise DataError(f"'{path}' claims {file.metadata.num_rows:,} rows")
            for batch in file.iter_batches(
                _BATCH_ROWS, columns=["image", "label"], use_threads=False
            ):
                labels = batch.column("label").to_numpy(zero_copy_only=False)
                yield batch.column("image").to_pylist(), labels
    except (pa.ArrowException, ValueError, LookupError, MemoryError, OSError) as error:
        if isinstance(error, OSError) and error.errno:
            raise StorageError(f"'{path}' can't be read: {error.strerror}") from error
        reason = str(error).partition("\n")[0][:200]
        raise DataError(f"'{path}' is not a parquet file, or a damaged one: {reason}") from None


def _decode(value: object, photo: PhotoMode) -> Images:
    content = value.get("bytes") if isinstance(value, dict) else value
    if not isinstance(content, bytes):
        raise DataError(f"it holds no encoded picture\n{_EXPECTED}")
    if photo != "on" and (image := open_gray_png(content)) is not None:
        return np.array(image)
    return decode(content, photo=photo).pixels
