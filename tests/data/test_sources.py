"""`data.sources`: the right reader by name or path, and the test part left alone."""

import gzip
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from fmnist_cli.constants import FILES
from fmnist_cli.data.csv_layout import PIXELS
from fmnist_cli.data.images import LabeledImages
from fmnist_cli.data.sources import open_source
from fmnist_cli.errors import DataError, FmnistError, MissingInput, UsageError

IMAGES = np.zeros((4, 28, 28), dtype=np.uint8)
IMAGES[:, 10:20, 10:20] = np.array([50, 100, 150, 200], dtype=np.uint8)[:, None, None]
DATA = LabeledImages(IMAGES, np.array([0, 3, 3, 9]))


def put_idx(folder: Path, *splits: str, packed: bool = True) -> Path:
    folder.mkdir(exist_ok=True)
    for split in splits:
        images, labels = FILES["train" if split == "train" else "test"]
        contents = {
            images: struct.pack(">4I", 0x803, 4, 28, 28) + DATA.images.tobytes(),
            labels: struct.pack(">2I", 0x801, 4) + DATA.labels.astype(np.uint8).tobytes(),
        }
        for file, content in contents.items():
            name = file.name if packed else file.name.removesuffix(".gz")
            (folder / name).write_bytes(gzip.compress(content) if packed else content)
    return folder


def put_csv(path: Path) -> Path:
    rows = np.column_stack([DATA.labels, DATA.images.reshape(4, -1)])
    header = ",".join(["label", *PIXELS])
    np.savetxt(path, rows, fmt="%d", delimiter=",", header=header, comments="")
    return path


def put_folder(folder: Path) -> Path:
    for position, (image, label) in enumerate(zip(DATA.images, DATA.labels, strict=True)):
        path = folder / str(label) / f"{position}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(path)
    return folder


def same(data: LabeledImages) -> bool:
    return np.array_equal(data.images, DATA.images) and np.array_equal(data.labels, DATA.labels)


@pytest.mark.parametrize("packed", [True, False])
def test_idx(tmp_path: Path, packed: bool) -> None:
    source = open_source(str(put_idx(tmp_path, "train", "test", packed=packed)))
    assert source.kind == "idx"
    assert same(source.read("train"))
    assert same(source.read("test"))


def test_idx_trains_where_there_are_no_test_files(tmp_path: Path) -> None:
    source = open_source(str(put_idx(tmp_path, "train")))
    assert same(source.read("train"))
    with pytest.raises(MissingInput, match="t10k"):
        source.read("test")


def test_idx_of_different_lengths(tmp_path: Path) -> None:
    put_idx(tmp_path, "train")
    (tmp_path / FILES["train"][1].name).write_bytes(struct.pack(">2I", 0x801, 2) + bytes(2))
    with pytest.raises(DataError, match=r"holds 4 images, but .* 2 labels"):
        open_source(str(tmp_path)).read("train")


def test_csv_and_its_test_split(tmp_path: Path) -> None:
    path = put_csv(tmp_path / "data.csv")
    source = open_source(str(path), test_data=str(put_folder(tmp_path / "pictures")))
    assert source.kind == "csv"
    assert same(source.read("train"))
    assert same(source.read("test"))


@pytest.mark.parametrize("kind", ["csv", "folder"])
def test_without_a_test_split(tmp_path: Path, kind: str) -> None:
    path = put_csv(tmp_path / "x") if kind == "csv" else put_folder(tmp_path / "x")
    source = open_source(str(path))
    assert source.kind == kind
    assert same(source.read("train"))
    with pytest.raises(UsageError, match="--test-data"):
        source.read("test")


def test_folder_with_both_splits(tmp_path: Path) -> None:
    put_folder(tmp_path / "train")
    put_csv(tmp_path / "other.csv")
    put_folder(tmp_path / "test")
    source = open_source(str(tmp_path))
    assert same(source.read("train"))
    assert same(source.read("test"))
    (tmp_path / "test" / "9" / "3.png").unlink()
    assert len(source.read("test")) == 3
    assert same(open_source(str(tmp_path), test_data=str(tmp_path / "other.csv")).read("test"))


def test_reading_train_opens_nothing_of_test(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = put_csv(tmp_path / "data.csv")
    test = tmp_path / "test.csv"
    test.write_text("this is no table")
    opened: list[Path] = []
    open_file = Path.open

    def watched(path: Path, *arguments: Any, **options: Any) -> Any:
        opened.append(path)
        return open_file(path, *arguments, **options)

    monkeypatch.setattr(Path, "open", watched)
    source = open_source(str(path), test_data=str(test))
    assert same(source.read("train"))
    assert set(opened) == {path}
    with pytest.raises(DataError, match=r"test\.csv"):
        source.read("test")


def test_sample() -> None:
    source = open_source("sample:30")
    assert source.kind == "sample"
    assert source.is_sample
    assert len(source.read("train")) == 30
    assert len(source.read("test")) == 500
    assert not open_source().is_sample


@pytest.mark.parametrize("number", ["", "9", "0", "-10", "1e3", "ten", "10:10", "2501", "9" * 30])
def test_sample_counts_that_are_none(number: str) -> None:
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
        ("", FmnistError, "expected fashion-mnist"),
    ],
)
def test_what_is_not_there(
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
    path = str(put_csv(tmp_path / "data.csv"))
    for nowhere in (str(tmp_path / "nowhere"), "x/" * 3_000, ""):
        with pytest.raises((MissingInput, UsageError)):
            open_source(path, test_data=nowhere)
    for spec in ("fashion-mnist", "sample"):
        with pytest.raises(UsageError, match="--test-data does not go with it"):
            open_source(spec, test_data=path)


def test_one_idx_file_is_not_enough(tmp_path: Path) -> None:
    put_idx(tmp_path, "train")
    with pytest.raises(UsageError, match="name the directory"):
        open_source(str(tmp_path / FILES["train"][0].name))


def test_the_test_data_of_joined_data_are_checked_and_have_its_classes(tmp_path: Path) -> None:
    spec = " + ".join(str(put_csv(tmp_path / name)) for name in ("a.csv", "b.csv"))
    with pytest.raises(MissingInput, match="nowhere"):
        open_source(spec, test_data=str(tmp_path / "nowhere.csv"))
    names = tuple("abcdefghij")
    source = open_source(spec, test_data=str(put_csv(tmp_path / "test.csv")), classes=names)
    assert source.read("test").classes == names
