"""CSV files, plain or packed: a row per image, 784 pixels and, in any column, its label.

The lines go to pandas in blocks, so that memory stays constant and no line or quote, however
damaged, reaches beyond its block.
"""

import logging
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from io import BufferedIOBase, BytesIO
from pathlib import Path
from typing import Final, Literal, TypeAlias

import numpy as np

from fmnist_cli.constants import CLASS_NAMES, IMAGE_SIZE, NUM_PIXELS
from fmnist_cli.data.class_names import expected_labels
from fmnist_cli.data.csv_layout import (
    HEADER,
    MAX_LINE_BYTES,
    NOT_UTF8,
    SEPARATORS,
    Layout,
    find_layout,
    split_line,
)
from fmnist_cli.data.images import (
    EXPECTED_PIXELS,
    SCALED,
    Images,
    LabeledImages,
    Labels,
    as_labels,
    as_pixels,
    read_label,
)
from fmnist_cli.data.packed import MAX_PACKED_ITEMS, File, is_zip, list_files, unpacked
from fmnist_cli.errors import DataError, MissingInput

SUFFIXES: Final = (".csv", ".csv.gz")
BLOCK_BYTES: Final = 12 << 20
"""Text in memory at a time; while it is numbers, it takes up to eight times as much."""

_BOM: Final = b"\xef\xbb\xbf"
_PIXEL: Final = re.compile(r"[0-9]{1,9}(?:\.0*)?")
_FRACTION: Final = re.compile(r"0?\.0*[1-9][0-9]*|[0-9.]+[eE]-[0-9]+")
_SPLIT: Final = re.compile(r"(?:^|[^a-z])(train|test)(?:ing)?(?:[^a-z]|$)")

_LOG: Final = logging.getLogger(__name__)

Rows: TypeAlias = tuple[Images, Labels | None]
"""Consecutive rows of a file: uint8 [N, 28, 28] and int64 [N], None if it has no labels."""


def tables(files: Sequence[File]) -> list[File]:
    """The CSV files among others."""
    return [file for file in files if file.name.lower().endswith(SUFFIXES)]


def has_pixels(path: File) -> bool:
    """Whether the first line has 784 columns or more."""
    with unpacked(path) as (file, _):
        line = file.readline(MAX_LINE_BYTES).decode(errors="replace")
    return max(map(line.count, SEPARATORS)) >= NUM_PIXELS - 1


def find(path: Path, split: Literal["train", "test"]) -> File | None:
    """Find the CSV file of a split: `path` itself, or by its name in a directory or zip archive.

    A file on its own, in an archive too, is the training split whatever its name; so is any file
    whose name doesn't say. Raises DataError if there are several.
    """
    files = tables(list_files(path)) if path.is_dir() or is_zip(path) else [path]
    if len(files) == 1 and not path.is_dir():
        return files[0] if split == "train" else None
    matches = ((file, _SPLIT.search(file.name.lower())) for file in files)
    found = [file for file, name in matches if (name[1] if name else "train") == split]
    if len(found) > 1:
        names = ", ".join(f"'{file.name}'" for file in found[:3])
        raise DataError(f"several CSV files of the {split} split: {names}\nname one of them")
    return found[0] if found else None


def read(
    path: Path, split: Literal["train", "test"], classes: tuple[str, ...] = CLASS_NAMES
) -> LabeledImages:
    """Read a split, or all images if `path` names no splits, with labels of `classes`.

    Raises MissingInput if there is no file of the split, and as `find` and `iterate`.
    """
    file = find(path, split) or find(path, "train")
    if file is None:
        raise MissingInput(f"'{path}' holds no CSV file of the {split} split")
    images, labels = zip(*iterate(file, needs_labels=True, classes=classes), strict=True)
    return LabeledImages(np.concatenate(images), np.concatenate(labels), classes)


def iterate(
    path: File,
    block_bytes: int = BLOCK_BYTES,
    *,
    needs_labels: bool = False,
    classes: Sequence[str] = CLASS_NAMES,
) -> Iterator[Rows]:
    """Read a file block by block, at constant memory.

    784 pixel columns in order, with or without a header, the labels in a column `label`, `class` or
    `target` as class names or numbers; other columns are ignored with a note, blank lines and
    repeated headers without. Raises MissingInput if there is no file, StorageError if it can't be
    read, DataError for anything else that it holds; the message names the line and the column.
    """
    layout: Layout | None = None
    count = 0
    with unpacked(path) as (file, size):
        for first_line, block in _blocks(path, file, block_bytes):
            if layout is None:
                layout = find_layout(path, block, classes, needs_labels=needs_labels)
                if layout.ignored:
                    _LOG.info("'%s': ignoring column '%s'", path, "', '".join(layout.ignored[:3]))
            try:
                rows = _parse(block, layout)
            except DataError as error:
                fault = _first_fault(block, first_line, layout)
                raise DataError(f"'{path}'{fault or f': {error}'}") from None
            if rows is None:
                continue
            count += len(rows[0])
            if size is None and count > MAX_PACKED_ITEMS:
                raise DataError(f"'{path}' holds over {MAX_PACKED_ITEMS:,} rows; unpack it first")
            yield rows
    if not count:
        what = "holds no rows below its header" if layout else "is empty"
        raise DataError(f"'{path}' {what}\n{HEADER}")


def _blocks(path: File, file: BufferedIOBase, block_bytes: int) -> Iterator[tuple[int, bytes]]:
    """Yield whole lines, about `block_bytes` at a time, after the number of the first of them."""
    rest, number = b"", 1
    while piece := file.read(block_bytes):
        block = rest + piece
        if number == 1:
            block = block.removeprefix(_BOM)
        end = max(block.rfind(b"\n"), block.rfind(b"\r", 0, -1)) + 1  # never between \r and \n
        block, rest = block[:end], block[end:]
        if len(rest) > max(block_bytes, MAX_LINE_BYTES):
            raise DataError(f"'{path}' is not a CSV file: a line is too long\n{HEADER}")
        if block and not block.isspace():
            yield number, block
        number += block.count(b"\n") + block.count(b"\r") - block.count(b"\r\n")
    if rest and not rest.isspace():
        yield number, rest


def _parse(block: bytes, layout: Layout) -> Rows | None:
    """Convert lines; None if they hold no row. Raises DataError, which names no line."""
    import pandas as pd

    if layout.header is not None and layout.header in block:
        lines = block.splitlines()
        block = b"\n".join(line for line in lines if not _is_header(line, layout.header))
    block = block.lstrip(b"\r\n")
    if not block:
        return None
    first = block[: 2 * MAX_LINE_BYTES].splitlines()[0]
    if b"\0" in block or first.count(layout.separator.encode()) > 2 * len(layout.names):
        raise DataError("damaged")
    try:
        frame = pd.read_csv(
            BytesIO(block),
            header=None,
            sep=layout.separator,
            na_filter=False,
            low_memory=False,
            encoding_errors="replace",
        )
    except (pd.errors.ParserError, pd.errors.EmptyDataError, OverflowError):
        raise DataError("damaged") from None
    if frame.shape[1] != len(layout.names):
        raise DataError(f"it has {frame.shape[1]} columns, not {len(layout.names)}")
    pixels = frame.iloc[:, layout.pixels].to_numpy()
    images = as_pixels(pixels).reshape(-1, IMAGE_SIZE, IMAGE_SIZE)
    if layout.label is None:
        return images, None
    return images, as_labels(frame.iloc[:, layout.label].to_numpy(), layout.classes)


def _is_header(line: bytes, header: bytes) -> bool:
    return line.removeprefix(_BOM).strip() == header


def _first_fault(block: bytes, first_line: int, layout: Layout) -> str | None:
    """Describe the first wrong line of a block; pandas names a column at best."""
    for number, line in enumerate(block.splitlines(), start=first_line):
        if not line.strip() or (layout.header and _is_header(line, layout.header)):
            continue
        cells = split_line(line[:MAX_LINE_BYTES], layout.separator)
        if len(cells) != len(layout.names):
            return f", line {number}: it has {len(cells)} values; expected {len(layout.names)}"
        faults = [(column, _fault_of_pixel(cells[column])) for column in layout.pixels]
        if layout.label is not None and read_label(cells[layout.label], layout.classes) is None:
            wrong = cells[layout.label]
            faults.insert(0, (layout.label, expected_labels(layout.classes, wrong=wrong)))
        for column, fault in faults:
            if fault:
                name, value = layout.names[column], cells[column][:40]
                explained = NOT_UTF8 if "\ufffd" in value else fault
                return f", line {number}, column '{name}': {value!r}; {explained}"
    return None


@lru_cache(1_024)
def _fault_of_pixel(cell: str) -> str | None:
    if _FRACTION.fullmatch(cell):
        return SCALED
    return None if _PIXEL.fullmatch(cell) and float(cell) <= 255 else EXPECTED_PIXELS
