"""Where the columns of a CSV file are: the pixels in order, the labels in any column."""

import csv
import re
import shlex
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fmnist_cli.constants import CLASS_NAMES, IMAGE_SIZE, NUM_PIXELS
from fmnist_cli.data.images import read_label
from fmnist_cli.data.packed import File
from fmnist_cli.errors import DataError

PIXELS: Final = tuple(f"pixel{number}" for number in range(1, NUM_PIXELS + 1))
"""The columns that Kaggle's files have below `label`."""
HEADER: Final = f"expected 784 pixel columns and one of labels: label,{PIXELS[0]},…,{PIXELS[-1]}"
MAX_LINE_BYTES: Final = 65_536
SEPARATORS: Final = ",;\t|"
NOT_UTF8: Final = "it is not UTF-8; save it as UTF-8 text (in Excel: 'CSV UTF-8')"

_LABEL_NAMES: Final = ("label", "labels", "class", "target")
_GUESS_ROWS: Final = 100
_HEAD_BYTES: Final = 1 << 20
_DIGITS: Final = re.compile(r"[0-9]{1,9}")
_NUMBER: Final = re.compile(r"[-+.]?[0-9][0-9.]*(?:[eE][-+]?[0-9]+)?")


@dataclass(frozen=True, slots=True)
class Layout:
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
    def ignored(self) -> list[str]:
        """Names of the columns that hold neither pixels nor labels."""
        used = {*self.pixels, self.label}
        return [name for position, name in enumerate(self.names) if position not in used]


def find_layout(path: File, block: bytes, classes: Sequence[str], *, needs_labels: bool) -> Layout:
    """Find the columns from the first lines of a block.

    Raises DataError if that is impossible, or if there are no labels and `needs_labels`.
    """
    lines = [line for line in block[:_HEAD_BYTES].splitlines() if line][:_GUESS_ROWS]
    text = lines[0][: MAX_LINE_BYTES + 1].decode(errors="replace")
    if not text.replace("\t", "").isprintable() or "\ufffd" in text or len(text) > MAX_LINE_BYTES:
        if NUM_PIXELS <= max(map(text.count, SEPARATORS)) + 1 < 2 * NUM_PIXELS:
            raise DataError(f"'{path}', line 1: {NOT_UTF8}")
        raise DataError(f"'{path}' is not a CSV file\n{HEADER}")
    separator = max(SEPARATORS, key=text.count)
    rows = [split_line(line, separator) for line in lines]
    numbers = [name for name in rows[0] if _NUMBER.fullmatch(name)]
    has_header = len(numbers) < NUM_PIXELS // 2 or _misplaced(numbers) is None
    try:
        if has_header:
            names, (pixels, label) = rows[0], _named_columns(rows, classes)
        else:
            names = tuple(str(number) for number in range(1, len(rows[0]) + 1))
            pixels, label = _unnamed_columns(rows, classes)
    except DataError as error:
        raise DataError(f"'{path}', line 1: {error}\n{HEADER}") from None
    if label is None and needs_labels:
        advice = f"\nto classify its images: fmnist predict MODEL {shlex.quote(str(path))}"
        raise DataError(
            f"'{path}' has no labels; expected a column label, class or target"
            + (advice if isinstance(path, Path) else "")
        )
    header = lines[0].strip() if has_header else None
    return Layout(separator, header, names, pixels, label, classes)


def split_line(line: bytes, separator: str) -> tuple[str, ...]:
    """The cells of a line without spaces around them; empty if it is not a line of CSV."""
    text = line.decode(errors="replace")
    try:
        return tuple(cell.strip() for cell in next(csv.reader([text], delimiter=separator), []))
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
    """Position of the first name out of sequence: from 0 or 1, or row by row as in 1x1, 1x2."""
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
    """Choose the label column, the first or the last: the other has corner pixels, mostly 0."""

    def count(position: int) -> int:
        labels = [read_label(row[position], classes) for row in rows if position < len(row)]
        return -1 if None in labels else sum(label != 0 for label in labels)

    if count(columns[-1]) > count(columns[0]):
        return columns[:-1], columns[-1]
    return columns[1:], columns[0]
