"""CSV files, plain or packed: a row per image, 784 pixels and, in any column, its label.

The lines go to pandas in blocks, so that memory stays constant and no line or quote, however
damaged, reaches beyond its block.
"""

import csv
import logging
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BufferedIOBase, BytesIO, TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final, Literal, cast

import numpy as np

from fmnist_cli.constants import CLASS_NAMES, IMAGE_SIZE, NUM_PIXELS
from fmnist_cli.data.class_names import expected_labels
from fmnist_cli.data.images import Images, LabeledImages, Labels
from fmnist_cli.data.packed import File, unpacked
from fmnist_cli.data.values import (
    EXPECTED_PIXELS,
    SCALED,
    as_labels,
    as_pixels,
    read_label,
)
from fmnist_cli.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

SUFFIXES: Final = (".csv", ".csv.gz")
PIXELS: Final = tuple(f"pixel{number}" for number in range(1, NUM_PIXELS + 1))
"""The columns that Kaggle's files have below `label`."""
MAX_PACKED_ROWS: Final = 1_000_000
"""Images in a compressed file. Plain files are bounded by their own size."""
BLOCK_BYTES: Final = 12 << 20
"""Text in memory at a time; while it is numbers, it takes up to eight times as much."""

_LABEL_NAMES: Final = ("label", "labels", "class", "target")
_SEPARATORS: Final = ",;\t|"
_BOM: Final = b"\xef\xbb\xbf"
_HEADER: Final = f"expected 784 pixel columns and one of labels: label,{PIXELS[0]},…,{PIXELS[-1]}"
_GUESS_ROWS: Final = 100
_HEAD_BYTES: Final = 1 << 20
_DIGITS: Final = re.compile(r"[0-9]{1,9}")
_NUMBER: Final = re.compile(r"[-+.]?[0-9][0-9.]*(?:[eE][-+]?[0-9]+)?")
_PIXEL: Final = re.compile(r"[0-9]{1,9}(?:\.0*)?")
_FRACTION: Final = re.compile(r"0?\.0*[1-9][0-9]*|[0-9.]+[eE]-[0-9]+")
_MAX_LINE_BYTES: Final = 65_536
_SPLIT: Final = re.compile(r"(?:^|[^a-z])(train|test)(?:ing)?(?:[^a-z]|$)")

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Rows:
    """Some rows that follow each other in a file."""

    images: Images
    """uint8 [N, 28, 28]."""
    labels: Labels | None
    """int64 [N]; None if the file has no column of labels."""


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where a file's columns are."""

    separator: str
    header: bytes | None
    """The first line, which joined files repeat; None if it holds values."""
    names: tuple[str, ...]
    pixels: list[int]
    """Positions of 784 columns."""
    label: int | None
    classes: Sequence[str] = CLASS_NAMES

    @property
    def others(self) -> list[int]:
        """Positions of all other columns."""
        return sorted({*range(len(self.names))} - {*self.pixels})


def tables(files: Sequence[File]) -> list[File]:
    """The CSV files among others."""
    return [file for file in files if file.name.lower().endswith(SUFFIXES)]


def find(files: Sequence[File], split: Literal["train", "test"]) -> File | None:
    """Find the CSV file of a split by its name; `train` may also be the only one.

    Raises DataError if there are several.
    """
    named: dict[str, list[File]] = {"train": [], "test": []}
    for file in tables(files):
        name = _SPLIT.search(file.name.lower())
        named[name[1] if name else "train"].append(file)
    if len(named[split]) > 1:
        names = ", ".join(f"'{file.name}'" for file in named[split][:3])
        raise DataError(f"several CSV files of the {split} split: {names}\nname one of them")
    return next(iter(named[split]), None)


def read(path: File, classes: tuple[str, ...] = CLASS_NAMES) -> LabeledImages:
    """Read a whole file with labels of `classes`. Raises as `iterate`."""
    images, labels = [], []
    for rows in iterate(path, labels="required", classes=classes):
        assert rows.labels is not None
        images.append(rows.images)
        labels.append(rows.labels)
    return LabeledImages(np.concatenate(images), np.concatenate(labels), classes)


def iterate(
    path: File,
    block_bytes: int = BLOCK_BYTES,
    *,
    labels: Literal["required", "optional"] = "optional",
    classes: Sequence[str] = CLASS_NAMES,
) -> Iterator[Rows]:
    """Read a file block by block, at constant memory.

    784 pixel columns in order, with or without a header, the labels in a column `label`, `class` or
    `target` as class names or numbers; other columns are ignored with a note, blank lines and
    repeated headers without. Raises MissingInput if there is no file, StorageError if it can't be
    read, DataError for anything else that it holds; the message names the line and the column.
    """
    with unpacked(path) as (file, size):
        layout: _Layout | None = None
        count = 0
        for block in _blocks(path, file, block_bytes):
            if layout is None:
                layout = _layout(path, block, labels, classes)
                ignored = [layout.names[n] for n in layout.others if n != layout.label]
                if ignored:
                    _log.info("'%s': ignoring column '%s'", path, "', '".join(ignored[:3]))
            rows = _parse(path, block, layout)
            if rows is None:
                continue
            count += len(rows.images)
            if size is None and count > MAX_PACKED_ROWS:
                raise DataError(f"'{path}' holds over {MAX_PACKED_ROWS:,} rows; unpack it first")
            yield rows
    if not count:
        what = "holds no rows below its header" if layout else "is empty"
        raise DataError(f"'{path}' {what}\n{_HEADER}")


def _blocks(path: File, file: BufferedIOBase, block_bytes: int) -> Iterator[bytes]:
    """Yield whole lines, about `block_bytes` at a time, without blank ones at the start."""
    rest = b""
    is_first = True
    while piece := file.read(block_bytes):
        block = rest + piece
        if is_first:
            block = block.removeprefix(_BOM)
            is_first = False
        end = max(block.rfind(b"\n"), block.rfind(b"\r")) + 1
        block, rest = block[:end].lstrip(b"\r\n"), block[end:]
        if len(rest) > max(block_bytes, _MAX_LINE_BYTES):
            raise DataError(f"'{path}' is not a CSV file: a line is too long\n{_HEADER}")
        if block:
            yield block
    if rest.strip():
        yield rest


def _layout(path: File, block: bytes, labels: str, classes: Sequence[str]) -> _Layout:
    """Find the columns from the first lines. Raises DataError if that is impossible."""
    lines = [line for line in block[:_HEAD_BYTES].splitlines() if line][:_GUESS_ROWS]
    text = lines[0][: _MAX_LINE_BYTES + 1].decode(errors="replace")
    if not text.replace("\t", "").isprintable() or "\ufffd" in text or len(text) > _MAX_LINE_BYTES:
        raise DataError(f"'{path}' is not a CSV file\n{_HEADER}")
    separator = max(_SEPARATORS, key=text.count)
    rows = [_split(line.decode(errors="replace"), separator) for line in lines]
    numbers = [name for name in rows[0] if _NUMBER.fullmatch(name)]
    has_header = len(numbers) < NUM_PIXELS // 2 or _misplaced(numbers) is None
    try:
        if has_header:
            names, (pixels, label) = rows[0], _named_columns(rows, classes)
        else:
            names = tuple(str(number) for number in range(1, len(rows[0]) + 1))
            pixels, label = _unnamed_columns(rows, classes)
    except DataError as error:
        raise DataError(f"'{path}', line 1: {error}\n{_HEADER}") from None
    if label is None and labels == "required":
        advice = f"\nto classify its images: fmnist predict MODEL {path}"
        raise DataError(
            f"'{path}' has no labels; expected a column label, class or target"
            + (advice if isinstance(path, Path) else "")
        )
    header = lines[0].strip() if has_header else None
    return _Layout(separator, header, names, pixels, label, classes)


def _split(line: str, separator: str) -> tuple[str, ...]:
    try:
        return tuple(cell.strip() for cell in next(csv.reader([line], delimiter=separator), []))
    except csv.Error:
        return ()


def _named_columns(
    rows: list[tuple[str, ...]], classes: Sequence[str]
) -> tuple[list[int], int | None]:
    """Positions of the pixels and the labels below a header."""
    names = rows[0]
    forms = [_DIGITS.sub("#", name) for name in names]
    most_common = Counter(form for form in forms if "#" in form).most_common(1)
    form = most_common[0][0] if most_common else ""
    pixels = [position for position, other in enumerate(forms) if other == form]
    if len(pixels) == NUM_PIXELS + 1 and form == "#":  # numbered, with the labels among them
        return _guess_label(rows[1:], pixels, classes)
    if len(pixels) != NUM_PIXELS:
        raise DataError(f"it has {len(pixels)} numbered columns, not {NUM_PIXELS}")
    misplaced = _misplaced([names[position] for position in pixels])
    if misplaced is not None:
        position = pixels[misplaced]
        raise DataError(f"column {position + 1}, '{names[position][:40]}', is out of order")
    lowered = [name.lower() for name in names]
    label = next((lowered.index(name) for name in _LABEL_NAMES if name in lowered), None)
    return pixels, label


def _misplaced(names: Sequence[str]) -> int | None:
    """Which of the columns' names does not count on: from 0 or 1, or row by row as in 1x1, 1x2."""
    found = [tuple(map(int, _DIGITS.findall(name))) for name in names]
    first = found[0]
    for position, numbers in enumerate(found):
        steps = (position,) if len(first) == 1 else divmod(position, IMAGE_SIZE)
        if max(first) > 1 or numbers != tuple(map(sum, zip(first, steps, strict=False))):
            return position
    return None


def _unnamed_columns(
    rows: list[tuple[str, ...]], classes: Sequence[str]
) -> tuple[list[int], int | None]:
    """Positions of the pixels and the labels in a file without a header."""
    columns = [*range(len(rows[0]))]
    numbers = [str(number) for number in range(len(rows) + 1)]
    counts = len(rows) > len(classes) and ["".join(row[:1]) for row in rows] in (
        numbers[:-1],
        numbers[1:],
    )
    if len(columns) == NUM_PIXELS + 2 or (len(columns) == NUM_PIXELS + 1 and counts):
        columns = columns[1:]  # an index
    if len(columns) == NUM_PIXELS:
        return columns, None
    if len(columns) != NUM_PIXELS + 1:
        raise DataError(f"it has {len(columns)} values, not {NUM_PIXELS} pixels and a label")
    return _guess_label(rows, columns, classes)


def _guess_label(
    rows: list[tuple[str, ...]], columns: list[int], classes: Sequence[str]
) -> tuple[list[int], int | None]:
    """Tell the labels, in the first or last column, from pixels in a corner, which are mostly 0."""

    def count(position: int) -> int:
        labels = [read_label(row[position], classes) for row in rows if position < len(row)]
        return -1 if None in labels else sum(label != 0 for label in labels)

    if count(columns[-1]) > count(columns[0]):
        return columns[:-1], columns[-1]
    return columns[1:], columns[0]


def _parse(path: File, block: bytes, layout: _Layout) -> Rows | None:
    """Convert lines; None if they hold no row."""
    import pandas as pd

    if layout.header is not None and layout.header in block:
        lines = block.splitlines()
        block = b"\n".join(line for line in lines if not _is_header(line, layout.header))
    block = block.lstrip(b"\r\n")
    if not block:
        return None
    first = block[: 2 * _MAX_LINE_BYTES].splitlines()[0]
    if b"\0" in block or first.count(layout.separator.encode()) > 2 * len(layout.names):
        raise DataError(_first_fault(path, layout))
    try:
        frame = pd.read_csv(
            BytesIO(block),
            header=None,
            sep=layout.separator,
            na_filter=False,
            quoting=csv.QUOTE_MINIMAL if b'"' in block else csv.QUOTE_NONE,  # the latter is faster
            low_memory=False,
            encoding_errors="replace",
        )
        return _convert(frame, layout)
    except (pd.errors.ParserError, pd.errors.EmptyDataError, OverflowError):
        raise DataError(_first_fault(path, layout)) from None
    except DataError as error:
        raise DataError(_first_fault(path, layout, str(error))) from None


def _is_header(line: bytes, header: bytes) -> bool:
    return line.removeprefix(_BOM).strip() == header


def _convert(frame: "pd.DataFrame", layout: _Layout) -> Rows:
    if frame.shape[1] != len(layout.names):
        raise DataError(f"it has {frame.shape[1]} columns, not {len(layout.names)}")
    start, stop = layout.pixels[0], layout.pixels[-1] + 1
    others = [frame.iloc[:, position].dtype.kind for position in layout.others]
    if stop - start == NUM_PIXELS and all(kind in "iuf" for kind in others):
        pixels = frame.to_numpy()[:, start:stop]
    else:  # slower
        pixels = frame.iloc[:, layout.pixels].to_numpy()
    images = as_pixels(pixels).reshape(-1, IMAGE_SIZE, IMAGE_SIZE)
    if layout.label is None:
        return Rows(images, None)
    return Rows(images, as_labels(frame.iloc[:, layout.label].to_numpy(), layout.classes))


def _first_fault(path: File, layout: _Layout, reason: str = "damaged") -> str:
    """Describe the first line that is wrong; pandas names its block or column at best."""
    sound: set[str] = set()
    with unpacked(path) as (file, _):
        text = TextIOWrapper(cast("BinaryIO", file), "utf-8-sig", errors="replace")
        lines = iter(lambda: text.readline(_MAX_LINE_BYTES), "")
        for number, line in enumerate(lines, start=1):
            row = line.strip("\r\n")
            if not row.strip() or (layout.header and _is_header(row.encode(), layout.header)):
                continue
            cells = _split(row, layout.separator)
            if len(cells) != len(layout.names):
                found = f"it has {len(cells)} values; expected {len(layout.names)}"
                return f"'{path}', line {number}: {found}"
            fault = _fault_of_row(cells, layout, sound)
            if fault:
                return f"'{path}', line {number}, column {fault}"
    return f"'{path}': {reason}"


def _fault_of_row(cells: Sequence[str], layout: _Layout, sound: set[str]) -> str | None:
    """Describe a row's first wrong value; `sound` collects pixels that have passed."""
    if layout.label is not None and read_label(cells[layout.label], layout.classes) is None:
        name, value = layout.names[layout.label], cells[layout.label]
        return f"'{name}': {value[:40]!r}; {expected_labels(layout.classes)}"
    if sound.issuperset(cells[position] for position in layout.pixels):
        return None
    for position in layout.pixels:
        value = cells[position]
        if _FRACTION.fullmatch(value):
            return f"'{layout.names[position]}': {value[:40]!r}; {SCALED}"
        if not _PIXEL.fullmatch(value) or float(value) > 255:
            return f"'{layout.names[position]}': {value[:40]!r}; {EXPECTED_PIXELS}"
        sound.add(value)
    return None
