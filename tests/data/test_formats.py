"""Every form of data comes back equal to the IDX files, bit for bit; refusals name the way out."""

import logging
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fmnist_cli.data import arrays
from fmnist_cli.data.images import LabeledImages
from fmnist_cli.data.pictures import decode
from fmnist_cli.data.sources import open_source
from fmnist_cli.errors import DataError, FmnistError, MissingInput, Unavailable, UsageError
from tests.data import written_formats as written
from tests.data.written_formats import BOTH_SPLITS, HEADER, ONE_SPLIT, TEST, TRAIN, Files, write
from tests.memory import measured


def same(one: LabeledImages, other: LabeledImages) -> bool:
    return np.array_equal(one.images, other.images) and np.array_equal(one.labels, other.labels)


@pytest.mark.parametrize("form", ONE_SPLIT)
def test_one_split(form: str, tmp_path: Path) -> None:
    path = write(tmp_path, ONE_SPLIT[form])
    assert same(open_source(str(path)).read("train"), TRAIN)
    with pytest.raises(UsageError, match="--test-data"):
        open_source(str(path)).read("test")
    assert same(open_source(str(path), test_data=str(path)).read("test"), TRAIN)


def test_black_images_in_parquet_stay_black(tmp_path: Path) -> None:
    path = write(tmp_path, {"a.parquet": written.parquet(written.BLACK)})
    assert same(open_source(str(path)).read("train"), written.BLACK)


@pytest.mark.parametrize("form", BOTH_SPLITS)
def test_both_splits(form: str, tmp_path: Path) -> None:
    path = write(tmp_path, BOTH_SPLITS[form])
    source = open_source(str(path))
    assert same(source.read("train"), TRAIN)
    assert same(source.read("test"), TEST)
    by_test_data = open_source(str(path), test_data=str(path))
    assert same(by_test_data.read("test"), TEST)


@pytest.mark.parametrize(
    ("form", "ignored"),
    [("CSV, id", "'id'"), ("CSV, unnamed index", "''"), ("CSV, no header, index", "'1'"),
     ("CSV", None)],
)  # fmt: skip
def test_a_note_names_ignored_columns(
    form: str, ignored: str | None, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = write(tmp_path, ONE_SPLIT[form])
    with caplog.at_level(logging.INFO, "fmnist_cli"):
        open_source(str(path)).read("train")
    assert caplog.messages == ([f"'{path}': ignoring column {ignored}"] if ignored else [])


def password(files: Files) -> Files:
    """A zip archive that claims to be encrypted."""
    ((name, content),) = files.items()
    changed = bytearray(content)
    changed[6] |= 1
    changed[content.index(b"PK\x01\x02") + 8] |= 1
    return {name: bytes(changed)}


def parquet(old: bytes, new: bytes) -> Files:
    """A file with other bytes in places."""
    content = written.parquet(TRAIN, compression="none")
    return {"a.parquet": content.replace(old, new)}


ZEROS = b"9" + b",0" * 784
REFUSED: dict[str, tuple[Files, type[FmnistError], str]] = {
    "CSV, 0.0 or 1.0": (
        {"a.csv": HEADER + b"\n" + ZEROS.replace(b",0", b",1.0")}, DataError, "0 to 255: multiply"
    ),
    "CSV, -1": ({"a.csv": HEADER + b"\nBag" + ZEROS[1:] + b"\n-1" + ZEROS[1:]}, DataError, "'-1'"),
    "CSV, no labels, zip": (
        written.zipped({"a.csv": HEADER[6:] + b"\n" + ZEROS[2:]}),
        DataError, "no labels.*label, class or target",
    ),
    "CSV, no header, 783": ({"a.csv": ZEROS[:-4] + b"\n"}, DataError, "783 values"),
    "CSV, disordered": (
        {"a.csv": written.csv(pixels=written.PIXELS[::-1])}, DataError, "'pixel784', is out of"
    ),
    "CSV, one long line": ({"a.csv": b"0," * (1 << 20)}, DataError, "not a CSV file"),
    "CSV, gzip, damaged": ({"a.csv.gz": b"\x1f\x8b\x08" + bytes(50)}, DataError, "a.csv.gz"),
    "zip, cut": ({"a.zip": written.zipped(written.KAGGLE)["data.zip"][:-9]}, DataError, "damaged"),
    "zip, password": (password(written.zipped({"a.csv": written.csv()})), DataError, "password"),
    "zip of something else": (written.zipped({"a.txt": b"1"}), DataError, "zip archive without"),
    "zip of several CSV files": (
        written.zipped({"train_a.csv": b"", "train_b.csv": b""}),
        DataError, "several CSV files",
    ),
    "npz, 0 to 1": (
        written.npz(images=TRAIN.images / 255, labels=TRAIN.labels), DataError, "0 to 255: multiply"
    ),
    "npz, fractions": (
        written.npz(images=TRAIN.images / 2, labels=TRAIN.labels), DataError, "fractions"
    ),
    "npz, negative": (
        written.npz(images=TRAIN.images / 127.5 - 1, labels=TRAIN.labels), DataError, "run from -1"
    ),
    "npz, 32x32": (
        written.npz(images=np.zeros((3, 32, 32)), labels=[1, 2, 3]), DataError, r"\[N, 28, 28\]"
    ),
    "npz, one-hot": (
        written.npz(images=TRAIN.images, labels=np.eye(10)[TRAIN.labels]), DataError,
        r"labels are float64 \[40, 10\]; expected",
    ),
    "npz, label 10": (
        written.npz(images=TRAIN.images[:2], labels=[3, 10]),
        DataError,
        "labels run from 3 to 10; .* 0 to 9",
    ),
    "npz, pickled": (
        written.npz(images=TRAIN.images, labels=np.array([{}] * 40)), DataError, "not an array"
    ),
    "npz, other names": (written.npz(a=TRAIN.images), DataError, "x_train, y_train"),
    "npz, too few labels": (
        written.npz(images=TRAIN.images, labels=[1]), DataError, r"expected int64 \[40\]"
    ),
    "npz, no zip": ({"a.npz": b"no zip"}, DataError, "not a zip archive"),
    "IDX, several sets": (
        {
            **written.idx_files("emnist-mnist-{split}-{kind}-idx{n}-ubyte"),
            **written.idx_files("emnist-letters-{split}-{kind}-idx{n}-ubyte"),
        },
        DataError, "several .* splits: 'emnist",
    ),
    "IDX, no labels": (
        {"train-images-idx3-ubyte": b"", "notes.txt": b""}, MissingInput, "train-labels-idx1-ubyte"
    ),
    "IDX, one file": ({"a": written.idx(TRAIN)[0]}, UsageError, "name the directory"),
    "IDX, other lengths": (
        {"train-images-idx3-ubyte": written.idx(TRAIN)[0],
         "train-labels-idx1-ubyte": written.idx(TEST)[1]},
        DataError, "holds 40 images, but .* 12 labels",
    ),
    "parquet, other content": (parquet(b"PAR1", b"PAR2"), DataError, "not a parquet file"),
    "parquet, other columns": (
        parquet(b"image", b"photo"), DataError, "columns 'photo, label'\nexpected columns 'image'"
    ),
    "parquet, a damaged picture": (
        parquet(b"IDAT", b"IDOT"), DataError, "row 0: the picture can't be used: it is .*damaged"
    ),
    "a training run": (
        {"run.toml": b"", "history.csv": b"epoch\n1\n", "curves.png": b""},
        DataError, "is a training run.*fmnist runs; .*fmnist info .*last.pt",
    ),
    "pictures beside a list of them": (
        {"photos.csv": b"image,label\na.png,Bag\n", "a.png": b""},
        DataError, "pictures without a class\nexpected a subdirectory of pictures per class",
    ),
    "only tests": ({"test.csv": written.csv(), "notes.txt": b""}, MissingInput, "train split"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_refusals_say_what_was_expected(name: str, tmp_path: Path) -> None:
    files, kind, words = REFUSED[name]
    path = write(tmp_path, files)
    with pytest.raises(kind, match=f"(?s){words}") as caught:
        open_source(str(path)).read("train")
    assert str(path) in str(caught.value) or "several" in words
    assert len(str(caught.value).splitlines()) <= 3


def test_pictures_in_parquet_are_prepared_as_asked(tmp_path: Path) -> None:
    path = write(tmp_path, {"a.parquet": written.parquet(TRAIN)})
    prepared = open_source(str(path), photo="on").read("train").images
    assert np.array_equal(prepared[0], decode(written.png(TRAIN.images[0]), photo="on").pixels)
    assert not np.array_equal(prepared[0], TRAIN.images[0])


def test_without_its_package_parquet_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path, {"a.parquet": b"PAR1"})
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(Unavailable, match=r"pip install 'fmnist-cli\[parquet\]'"):
        open_source(str(path)).read("train")


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (900_000, "is not an array, or damaged: EOF"),
        (1_000_001, "images.npy' claims 1,000,001 .* hold 1,000,000: save"),
    ],
)
def test_a_header_that_claims_too_much_takes_no_memory(
    tmp_path: Path, count: int, words: str
) -> None:
    header = f"{{'descr': '|u1', 'fortran_order': False, 'shape': ({count}, 28, 28), }}".encode()
    array = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + bytes(99)
    path = write(tmp_path, written.zipped({"images.npy": array, "labels.npy": array}, "zeros.npz"))
    with measured() as peak, pytest.raises(DataError, match=words):
        open_source(str(path)).read("train")
    assert peak.extra_bytes < 50e6


def test_an_archive_that_unpacks_to_too_much_is_left_packed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrays, "MAX_BYTES", 1_000)
    path = write(tmp_path, written.npz(images=TRAIN.images, labels=TRAIN.labels))
    with pytest.raises(DataError, match=r"images.npy' has 31,488 bytes; expected 1,000 at most"):
        open_source(str(path)).read("train")


@pytest.mark.parametrize("name", ["x_test", "test_labels"])
def test_half_a_test_split_is_not_replaced_by_training_images(tmp_path: Path, name: str) -> None:
    content: Any = {"x_train": TRAIN.images, "y_train": TRAIN.labels, name: TRAIN.labels}
    source = open_source(str(write(tmp_path, written.npz(**content))))
    assert len(source.read("train")) == len(TRAIN)
    with pytest.raises(DataError, match=f"holds '{name}.npy' alone; expected"):
        source.has_test_split()
