"""Kaggle's form of the data set: a row per image, `label,pixel1,…,pixel784`."""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, TextIO

import numpy as np
from numpy.typing import NDArray

from fmnist_cli.constants import IMAGE_SIZE, NUM_CLASSES, NUM_PIXELS
from fmnist_cli.data.images import Images, LabeledImages, Labels
from fmnist_cli.errors import DataError, MissingInput, StorageError

if TYPE_CHECKING:
    import pandas as pd

LABEL: Final = "label"
PIXELS: Final = tuple(f"pixel{number}" for number in range(1, NUM_PIXELS + 1))
CHUNK_ROWS: Final = 4_096
"""Rows in memory at a time: 26 MB while they are numbers of 8 bytes."""

_MAX_HEADER_CHARACTERS: Final = 65_536
_WHOLE_NUMBER: Final = re.compile(r"\s*[0-9]{1,9}\s*")


@dataclass(frozen=True, slots=True)
class Rows:
    """Some rows that follow each other in a file."""

    first_line: int
    """Where the first of them stands in the file, counted from 1; the header is line 1."""
    images: Images
    """uint8 [N, 28, 28]."""
    labels: Labels | None
    """int64 [N]; None where the file has no column of labels."""


def read(path: Path) -> LabeledImages:
    """Read a whole file with labels. Raises as `iterate`."""
    images, labels = [], []
    for rows in iterate(path, labels="required"):
        assert rows.labels is not None
        images.append(rows.images)
        labels.append(rows.labels)
    return LabeledImages(np.concatenate(images), np.concatenate(labels))


def iterate(
    path: Path,
    chunk_rows: int = CHUNK_ROWS,
    *,
    labels: Literal["required", "optional"] = "optional",
) -> Iterator[Rows]:
    """Read a file `chunk_rows` rows at a time, at constant memory.

    The header is exactly `label,pixel1,…,pixel784`, or, where labels are optional, that without
    `label`. Raises MissingInput where there is no file, StorageError where it can't be read,
    DataError for anything else that it holds; the message names the line and the column.
    """
    try:
        with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
            columns = _read_header(path, file, labels)
            first_line = 2
            for frame in _frames(path, file, columns, chunk_rows):
                values = _check_values(path, frame)
                yield _split_columns(values, first_line)
                first_line += len(values)
    except FileNotFoundError:
        raise MissingInput(f"no file at '{path}'") from None
    except OSError as error:
        raise StorageError(f"'{path}' can't be read: {error.strerror}") from error


def _read_header(path: Path, file: TextIO, labels: str) -> tuple[str, ...]:
    """Read line 1; returns the columns that it names, which are the expected ones."""
    line = file.readline(_MAX_HEADER_CHARACTERS)
    try:
        found = tuple(name.strip() for name in next(csv.reader([line]), []))
    except csv.Error:
        found = ()
    expected = PIXELS if labels == "optional" and LABEL not in found else (LABEL, *PIXELS)
    if found == expected:
        return expected
    pairs = zip(found, expected, strict=False)
    differing = next((number for number, (a, b) in enumerate(pairs) if a != b), None)
    header = f"expected the header {expected[0]},{expected[1]},…,{expected[-1]}"
    if not line or "\0" in line or "\ufffd" in line:
        raise DataError(f"'{path}' is {'no CSV file' if line else 'empty'}\n{header}")
    if found == PIXELS:
        raise DataError(
            f"'{path}' has no labels; {header}\nto classify its images: fmnist predict MODEL {path}"
        )
    if differing is not None:
        what = f"column {differing + 1} is '{found[differing][:40]}', not '{expected[differing]}'"
    else:
        what = f"it has {len(found)} columns, not {len(expected)}"
    raise DataError(f"'{path}', line 1: {what}\n{header}")


def _frames(
    path: Path, file: TextIO, columns: tuple[str, ...], chunk_rows: int
) -> Iterator["pd.DataFrame"]:
    import pandas as pd

    # pandas refuses a row that is longer than the first; where the first itself is longer than the
    # header, it would take the surplus for an index.
    start = file.tell()
    first = file.readline()
    if not first:
        raise DataError(f"'{path}' holds no rows below its header")
    if first.count(",") + 1 != len(columns):
        raise DataError(_first_fault(path, columns))
    file.seek(start)
    try:
        with pd.read_csv(
            file,
            names=list(columns),
            chunksize=chunk_rows,
            low_memory=False,
            quoting=csv.QUOTE_NONE,
            skip_blank_lines=False,
        ) as frames:
            yield from frames
    except (pd.errors.ParserError, OverflowError):
        raise DataError(_first_fault(path, columns)) from None


def _check_values(path: Path, frame: "pd.DataFrame") -> NDArray[np.int64]:
    """Turn a frame into int64 [N, columns]; every value is in its column's range."""
    columns = tuple(frame.columns)
    if all(dtype.kind in "iu" for dtype in frame.dtypes):
        values = frame.to_numpy()
        if (values >= 0).all() and (values <= _limits(columns)).all():
            return values.astype(np.int64, copy=False)
    raise DataError(_first_fault(path, columns))


def _limits(columns: tuple[str, ...]) -> NDArray[np.int64]:
    """Largest value of each column."""
    return np.where(np.array(columns) == LABEL, NUM_CLASSES - 1, 255)


def _first_fault(path: Path, columns: tuple[str, ...]) -> str:
    """Say where a file that pandas could not read, or that holds other values, first goes wrong.

    pandas reports faults by column only, or by chunk; this second pass is slow but exact.
    """
    limits = _limits(columns)
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        file.readline()
        for number, line in enumerate(file, start=2):
            values = line.rstrip("\r\n").split(",")
            if len(values) != len(columns):
                return (
                    f"'{path}', line {number}: it has {len(values)} values; expected {len(columns)}"
                )
            for column, value, limit in zip(columns, values, limits, strict=True):
                if not _WHOLE_NUMBER.fullmatch(value) or int(value) > limit:
                    return (
                        f"'{path}', line {number}, column '{column}': {value[:40]!r}; "
                        f"expected a whole number from 0 to {limit}"
                    )
    return f"'{path}' holds other values than whole numbers from 0 to 255"


def _split_columns(values: NDArray[np.int64], first_line: int) -> Rows:
    has_labels = values.shape[1] > NUM_PIXELS
    pixels = values[:, 1:] if has_labels else values
    images = pixels.astype(np.uint8).reshape(-1, IMAGE_SIZE, IMAGE_SIZE)
    return Rows(first_line, images, values[:, 0].copy() if has_labels else None)
