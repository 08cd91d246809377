"""`data.csv`: rows come back exactly; errors name the line and the column."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import ArrayLike

from fmnist_cli.data import csv
from fmnist_cli.data.csv_layout import PIXELS
from fmnist_cli.errors import DataError

HEADER = "label," + ",".join(PIXELS)
IMAGES = np.random.default_rng(0).integers(0, 256, (3, 28, 28), dtype=np.uint8)
LABELS = [7, 0, 9]


def row(label: object, pixels: ArrayLike | None = None) -> str:
    values = IMAGES[0] if pixels is None else pixels
    return ",".join(str(value) for value in (label, *np.ravel(values)))


ROWS = [row(label, image) for label, image in zip(LABELS, IMAGES, strict=True)]


def put(folder: Path, *lines: str, end: str = "\n") -> Path:
    path = folder / "file.csv"
    path.write_text(end.join(lines) + end, encoding="utf-8", newline="")
    return path


def test_iterates_in_pieces(tmp_path: Path) -> None:
    pieces = list(csv.iterate(put(tmp_path, HEADER, *ROWS), 3_000))
    assert len(pieces) > 1
    images, labels = zip(*pieces, strict=True)
    assert np.array_equal(np.concatenate(images), IMAGES)
    assert np.concatenate(labels).tolist() == LABELS


def test_labels_are_optional_unless_required(tmp_path: Path) -> None:
    rows = [line.partition(",")[2] for line in ROWS]
    path = put(tmp_path, ",".join(PIXELS), *rows)
    ((images, labels),) = csv.iterate(path)
    assert labels is None
    assert np.array_equal(images, IMAGES)
    with pytest.raises(DataError, match="has no labels"):
        csv.read(path, "train")


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([""], "is empty"),
        (["\0PNG", "", "\0\0\0"], "is not a CSV file"),
        (["something", "else"], "line 1: it has 0 numbered columns, not 784"),
        ([HEADER.replace("pixel2,", "other,"), ROWS[0]], "it has 783 numbered columns, not 784"),
        ([HEADER + ",pixel785", ROWS[0]], "it has 785 numbered columns, not 784"),
        ([HEADER.rpartition(",")[0], ROWS[0]], "it has 783 numbered columns, not 784"),
        ([HEADER], "no rows"),
        ([HEADER, ROWS[0], row(10)], "line 3, column 'label': '10'; expected .* 0 to 9"),
        ([HEADER, ROWS[0], row(-1)], "line 3, column 'label': '-1'"),
        ([HEADER, ROWS[0], row("")], "line 3, column 'label': ''"),
        ([HEADER, ROWS[0], row("Hat")], "line 3, column 'label': 'Hat'; expected class names or"),
        ([HEADER, row("True"), row("False")], "line 2, column 'label': 'True'"),
        ([HEADER, row(1, [0] * 783 + [256])], "line 2, column 'pixel784': '256'"),
        ([HEADER, row(1, [0.5] + [0] * 783)], "line 2, column 'pixel1': '0.5'; .* multiply"),
        ([HEADER, row(1, [10**30] + [0] * 783)], "line 2, column 'pixel1': '1000"),
        ([HEADER, row(1, ["1_0"] + [0] * 783)], "line 2, column 'pixel1': '1_0'"),
        ([HEADER, row(1, ['"1'] + [0] * 783)], "line 2: it has 2 values; expected 785"),
        ([HEADER, row(1, ["\0"] + [0] * 783)], "line 2, column 'pixel1'"),
        ([HEADER, ROWS[0] + ",1"], "line 2: it has 786 values; expected 785"),
        ([HEADER, ROWS[0], ROWS[1] + ",1"], "line 3: it has 786 values; expected 785"),
        ([HEADER, ROWS[0], ROWS[1][:100]], r"line 3: it has \d+ values; expected 785"),
    ],
)
def test_names_the_line_and_the_column(tmp_path: Path, lines: list[str], message: str) -> None:
    path = put(tmp_path, *lines)
    with pytest.raises(DataError, match=message) as caught:
        csv.read(path, "train")
    assert str(path) in str(caught.value)
    assert len(str(caught.value).splitlines()) <= 3


def test_a_fault_in_a_later_piece_has_the_right_line(tmp_path: Path) -> None:
    lines = ("", HEADER, *ROWS, "", HEADER, *ROWS, row("x"), *ROWS)
    for end, step in (("\n", 60), ("\r\n", 7), ("\r", 60)):
        for block_bytes in range(3_000, 3_200, step):  # a block may end between \r and \n
            with pytest.raises(DataError, match="line 11, column 'label': 'x'"):
                list(csv.iterate(put(tmp_path, *lines, end=end), block_bytes))
