"""`data.sources`: the right reader by name or path, and the test split left alone."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fmnist_cli.constants import FILES
from fmnist_cli.data.images import LabeledImages
from fmnist_cli.data.sources import open_source
from fmnist_cli.errors import DataError, FmnistError, MissingInput, UsageError
from tests.data import written_formats as written
from tests.data.written_formats import write

IMAGES = np.zeros((4, 28, 28), dtype=np.uint8)
IMAGES[:, 10:20, 10:20] = np.array([50, 100, 150, 200], dtype=np.uint8)[:, None, None]
DATA = LabeledImages(IMAGES, np.array([0, 3, 3, 9]))
TABLE = written.csv(DATA)
PICTURES = {
    f"{label}/{position}.png": written.png(image)
    for position, (image, label) in enumerate(zip(DATA.images, DATA.labels, strict=True))
}


def same(data: LabeledImages) -> bool:
    return np.array_equal(data.images, DATA.images) and np.array_equal(data.labels, DATA.labels)


def test_idx_trains_without_test_files(tmp_path: Path) -> None:
    images, labels = written.idx(DATA)
    files = {"train-images-idx3-ubyte": images, "train-labels-idx1-ubyte": labels}
    source = open_source(str(write(tmp_path, files)))
    assert source.kind == "idx"
    assert same(source.read("train"))
    with pytest.raises(MissingInput, match="t10k"):
        source.read("test")


def test_pictures_and_their_test_split(tmp_path: Path) -> None:
    path = str(write(tmp_path / "x", PICTURES))
    table = str(write(tmp_path / "y", {"other.csv": TABLE}))
    source = open_source(path)
    assert source.kind == "folder"
    assert same(source.read("train"))
    with pytest.raises(UsageError, match="--test-data"):
        source.read("test")
    assert same(open_source(path, test_data=table).read("test"))
    assert same(open_source(table, test_data=path).read("test"))


def test_folder_with_both_splits(tmp_path: Path) -> None:
    for split in ("train", "test"):
        write(tmp_path / split, PICTURES)
    table = write(tmp_path, {"other.csv": TABLE, "notes.txt": b""}) / "other.csv"
    source = open_source(str(tmp_path))
    assert same(source.read("train"))
    assert same(source.read("test"))
    (tmp_path / "test" / "9" / "3.png").unlink()
    assert len(source.read("test")) == 3
    assert same(open_source(str(tmp_path), test_data=str(table)).read("test"))


def test_reading_train_opens_nothing_of_test(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, {"data.csv": TABLE, "test.csv": b"this is no table"})
    opened: list[Path] = []
    open_file = Path.open

    def watched(path: Path, *arguments: Any, **options: Any) -> Any:
        opened.append(path)
        return open_file(path, *arguments, **options)

    monkeypatch.setattr(Path, "open", watched)
    source = open_source(str(tmp_path / "data.csv"), test_data=str(tmp_path / "test.csv"))
    assert same(source.read("train"))
    assert set(opened) == {tmp_path / "data.csv"}
    with pytest.raises(DataError, match=r"test\.csv"):
        source.read("test")


def test_sample() -> None:
    source = open_source("sample:30")
    assert source.is_sample
    assert len(source.read("train")) == 30
    assert len(source.read("test")) == 500
    assert not open_source().is_sample


@pytest.mark.parametrize("number", ["", "9", "0", "-10", "1e3", "ten", "10:10", "2501", "9" * 30])
def test_other_sample_counts_are_refused(number: str) -> None:
    with pytest.raises(UsageError, match="10 to 2,500"):
        open_source(f"sample:{number}")


def test_fashion_mnist_reads_what_is_in_the_data_folder(mirror: Path) -> None:
    source = open_source(data_dir=mirror, mirrors=["/nowhere"])
    assert len(source.read("train")) == 60_000
    assert len(source.read("test")) == 10_000


def test_fashion_mnist_fetches_the_split_that_is_read(mirror: Path, tmp_path: Path) -> None:
    source = open_source(data_dir=tmp_path, mirrors=[str(mirror)])
    assert len(source.read("test")) == 10_000
    assert {path.name for path in tmp_path.glob("*.gz")} == {file.name for file in FILES["test"]}


@pytest.mark.parametrize(
    ("spec", "kind", "message"),
    [
        ("fashion_mnist", UsageError, "did you mean 'fashion-mnist'"),
        ("Sample", UsageError, "did you mean 'sample'"),
        ("cifar", UsageError, "unknown data 'cifar'"),
        ("nowhere.csv", MissingInput, "no file or directory at 'nowhere.csv'"),
        ("no/where", MissingInput, "no file or directory at 'no/where'"),
        ("x" * 5_000, FmnistError, "x"),
        ("x + " * 5_000, FmnistError, "x"),
        ("", FmnistError, "expected fashion-mnist"),
    ],
)
def test_missing_data(
    spec: str,
    kind: type[FmnistError],
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(kind, match=message):
        open_source(spec)


def test_test_data_is_checked_at_once(tmp_path: Path) -> None:
    path = str(write(tmp_path, {"data.csv": TABLE}))
    for spec in (path, f"{path} + {path}"):
        for nowhere in (str(tmp_path / "nowhere"), "x/" * 3_000, ""):
            with pytest.raises((MissingInput, UsageError)):
                open_source(spec, test_data=nowhere)
    for spec in ("fashion-mnist", "sample"):
        with pytest.raises(UsageError, match="--test-data does not go with it"):
            open_source(spec, test_data=path)


def test_the_test_data_of_joined_data_have_its_classes(tmp_path: Path) -> None:
    path, names = str(write(tmp_path, {"data.csv": TABLE})), tuple("abcdefghij")
    source = open_source(f"{path} + {path}", test_data=path, classes=names)
    assert len(source.read("train")) == 2 * len(DATA)
    assert source.read("test").classes == names
