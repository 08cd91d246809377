"""The same few images in every form that `--data` takes."""

import gzip
import io
import struct
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
import pandas as pd
from PIL import Image

from fmnist_cli.constants import CLASS_NAMES
from fmnist_cli.data.images import Images, LabeledImages
from tests.sample_images import draw, saved

TRAIN, TEST = draw(40, "train"), draw(12, "test")
Files: TypeAlias = Mapping[str, bytes]
"""Contents by path below the data's directory."""

PIXELS: Final = [f"pixel{number}" for number in range(1, 785)]
GRID: Final = [f"{row}x{column}" for row in range(1, 29) for column in range(1, 29)]


def csv(
    data: LabeledImages = TRAIN,
    *,
    pixels: Sequence[object] = PIXELS,
    label: str = "label",
    last: bool = False,
    names: bool = False,
    index: str | None = None,
    header: bool = True,
    **options: object,
) -> bytes:
    """A CSV file as pandas writes it."""
    frame = pd.DataFrame(data.images.reshape(len(data), -1), columns=list(pixels))
    labels = [CLASS_NAMES[label] for label in data.labels] if names else data.labels
    frame.insert(784 if last else 0, label, labels)
    if index is not None:
        frame.insert(0, index, np.arange(len(data)) + 7)
    options = {"index": False, "header": header, **options}
    return bytes(frame.to_csv(None, **options).encode())  # type: ignore[call-overload]


def numbered(data: LabeledImages = TRAIN, *, last: bool = False, index: bool = False) -> bytes:
    """A CSV file of an array whose columns have numbers for names."""
    pixels = data.images.reshape(len(data), -1)
    table = np.insert(pixels.astype(int), 784 if last else 0, data.labels, axis=1)
    return pd.DataFrame(table).to_csv(None, index=index).encode()


def idx(data: LabeledImages) -> tuple[bytes, bytes]:
    n = len(data)
    return (
        struct.pack(">4I", 0x803, n, 28, 28) + data.images.tobytes(),
        struct.pack(">2I", 0x801, n) + data.labels.astype(np.uint8).tobytes(),
    )


def idx_files(names: str, pack: Callable[[bytes], bytes] = bytes, test: str = "t10k") -> Files:
    """Four IDX files; `names` has `{split}`, `{kind}` and `{n}`."""
    return {
        names.format(split=split, kind=kind, n=n): pack(content)
        for split, data in (("train", TRAIN), (test, TEST))
        for (kind, n), content in zip((("images", 3), ("labels", 1)), idx(data), strict=True)
    }


def zipped(files: Files, name: str = "data.zip") -> Files:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in files.items():
            archive.writestr(path, content)
    return {name: file.getvalue()}


def npz(*, save: Callable[..., None] = np.savez, **arrays: object) -> Files:
    file = io.BytesIO()
    save(file, **arrays)
    return {"data.npz": file.getvalue()}


def keras(shape: tuple[int, ...] = (28, 28), dtype: str = "uint8") -> Files:
    splits = {"train": TRAIN, "test": TEST}
    arrays: dict[str, object] = {}
    for name, data in splits.items():
        arrays[f"x_{name}"] = data.images.reshape(-1, *shape).astype(dtype)
        arrays[f"y_{name}"] = data.labels
    return npz(**arrays)  # type: ignore[arg-type]


def png(image: Images, mode: str = "L") -> bytes:
    return saved(Image.fromarray(image).convert(mode), "PNG")


def parquet(
    data: LabeledImages, *, names: bool = False, mode: str = "L", compression: str = "snappy"
) -> bytes:
    """A file in Hugging Face's layout."""
    import pyarrow as pa
    from pyarrow import parquet

    images = [{"bytes": png(image, mode), "path": None} for image in data.images]
    labels = [CLASS_NAMES[label] for label in data.labels] if names else data.labels
    image_type = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    table = pa.table({"image": pa.array(images, image_type), "label": pa.array(labels)})
    file = io.BytesIO()
    parquet.write_table(table, file, row_group_size=30, compression=compression)
    return file.getvalue()


HEADER: Final = csv().partition(b"\n")[0]
KAGGLE: Final = {"fashion-mnist_train.csv": csv(), "fashion-mnist_test.csv": csv(TEST)}
BLACK: Final = LabeledImages(np.zeros_like(TRAIN.images), TRAIN.labels)

ONE_SPLIT: Final[Mapping[str, Files]] = {
    "CSV": {"a.csv": csv()},
    "CSV, labels last": {"a.csv": csv(last=True)},
    "CSV, Label": {"a.csv": csv(label="Label")},
    "CSV, class": {"a.csv": csv(label="class", last=True)},
    "CSV, target": {"a.csv": csv(label="target")},
    "CSV, class names": {"a.csv": csv(names=True)},
    "CSV, class names last": {"a.csv": csv(names=True, last=True, label="CLASS")},
    "CSV, id": {"a.csv": csv(index="id")},
    "CSV, id, labels last": {"a.csv": csv(index="Id", last=True)},
    "CSV, unnamed index": {"a.csv": csv(index="")},
    "CSV, pandas' index": {"a.csv": csv(index="Unnamed: 0")},
    "CSV, quoted": {"a.csv": csv(quoting=1)},
    "CSV, quoted names": {"a.csv": csv(names=True, quoting=2)},
    "CSV, pixel0": {"a.csv": csv(pixels=[f"pixel{n}" for n in range(784)])},
    "CSV, 1x1": {"a.csv": csv(pixels=GRID)},
    "CSV, 0 to 783": {"a.csv": csv(pixels=range(784))},
    "CSV, 0 to 784": {"a.csv": numbered()},
    "CSV, 0 to 784, labels last": {"a.csv": numbered(last=True)},
    "CSV, 0 to 784 and an index": {"a.csv": numbered(index=True)},
    "CSV, no header": {"a.csv": csv(header=False)},
    "CSV, no header, labels last": {"a.csv": csv(header=False, last=True)},
    "CSV, no header, names": {"a.csv": csv(header=False, names=True)},
    "CSV, no header, names last": {"a.csv": csv(header=False, names=True, last=True)},
    "CSV, no header, index": {"a.csv": csv(header=False, index="")},
    "CSV, semicolons": {"a.csv": csv(sep=";")},
    "CSV, tabs": {"a.csv": csv(sep="\t", index="")},
    "CSV, whole floats": {"a.csv": csv().replace(b",0", b",0.0")},
    "CSV, blank lines": {"a.csv": csv().replace(b"\n", b"\n\n") + b"\n\n"},
    "CSV, Windows": {"a.csv": b"\xef\xbb\xbf" + csv(lineterminator="\r\n") + b"\r\n"},
    "CSV, old Mac": {"a.csv": csv(lineterminator="\r")},
    "CSV, joined": {"a.csv": csv(TRAIN[:17]) + csv(TRAIN[17:18]) + b"\n" + csv(TRAIN[18:])},
    "CSV, joined on Windows": {
        "a.csv": b"".join(b"\xef\xbb\xbf" + csv(part, lineterminator="\r\n") + b"\r\n"
                          for part in (TRAIN[:1], TRAIN[1:]))
    },
    "CSV beside a picture": {"a.csv": csv(sep=";"), "preview.png": b""},
    "CSV, gzip": {"a.csv.gz": gzip.compress(csv())},
    "CSV, zip": zipped({"a.csv": csv()}),
    "CSV, zip named as Kaggle": zipped({"fashion-mnist_test.csv": csv(), "__MACOSX/._a.csv": b""}),
    "npz": npz(images=TRAIN.images, labels=TRAIN.labels),
    "npz, packed": npz(images=TRAIN.images, labels=TRAIN.labels, save=np.savez_compressed),
    "npz, class names": npz(images=TRAIN.images, labels=np.array(CLASS_NAMES)[TRAIN.labels]),
    "npz, labels in a column": npz(x_train=TRAIN.images, y_train=TRAIN.labels[:, None]),
    "parquet": {"a.parquet": parquet(TRAIN)},
    "parquet, class names": {"a.parquet": parquet(TRAIN, names=True)},
    "parquet, RGB": {"a.parquet": parquet(TRAIN, mode="RGB")},
}  # fmt: skip
"""Files of one split, by the form; the data is the only file."""

BOTH_SPLITS: Final[Mapping[str, Files]] = {
    "Kaggle's folder": KAGGLE,
    "Kaggle's folder, gzip": {f"{k}.gz": gzip.compress(v) for k, v in KAGGLE.items()},
    "Kaggle's archive": zipped(KAGGLE),
    "Kaggle's archive in a folder": zipped({f"x/{k}": v for k, v in KAGGLE.items()}),
    "Kaggle's archive with IDX": zipped({**KAGGLE, **idx_files("{split}-{kind}-idx{n}-ubyte")}),
    "Kaggle's folder with IDX": {**KAGGLE, **idx_files("{split}-{kind}-idx{n}-ubyte")},
    "train.csv, test.csv": {"train.csv": csv(), "test.csv": csv(TEST)},
    "npz of Keras": keras(),
    "npz, channel last": keras((28, 28, 1)),
    "npz, channel first": keras((1, 28, 28), "float64"),
    "npz, flat": keras((784,), "int64"),
    "npz, whole floats": keras(dtype="float32"),
    "npz, train_images": npz(
        train_images=TRAIN.images, train_labels=TRAIN.labels.astype("uint8"),
        test_images=TEST.images, test_labels=TEST.labels.astype(float),
    ),
    "Hugging Face": {
        "data/train-00000-of-00002.parquet": parquet(TRAIN[:25]),
        "data/train-00001-of-00002.parquet": parquet(TRAIN[25:]),
        "data/test-00000-of-00001.parquet": parquet(TEST),
    },
    "Hugging Face, converted": {
        "fashion_mnist/train/0000.parquet": parquet(TRAIN),
        "fashion_mnist/test/0000.parquet": parquet(TEST),
        "fashion_mnist/validation/0000.parquet": parquet(BLACK),
    },
    "IDX": idx_files("{split}-{kind}-idx{n}-ubyte"),
    "IDX, gzip": idx_files("{split}-{kind}-idx{n}-ubyte.gz", gzip.compress),
    "IDX, unpacked under its old name": idx_files("{split}-{kind}-idx{n}-ubyte.gz"),
    "IDX, dots": idx_files("{split}-{kind}.idx{n}-ubyte"),
    "IDX, dots, gzip": idx_files("{split}-{kind}.idx{n}-ubyte.gz", gzip.compress),
    "IDX, EMNIST": idx_files("emnist-mnist-{split}-{kind}-idx{n}-ubyte", test="test"),
    "IDX, EMNIST, gzip": idx_files(
        "emnist-mnist-{split}-{kind}-idx{n}-ubyte.gz", gzip.compress, "test"
    ),
    "torchvision's root": idx_files("FashionMNIST/raw/{split}-{kind}-idx{n}-ubyte"),
    "torchvision's FashionMNIST": idx_files("raw/{split}-{kind}-idx{n}-ubyte"),
    "torchvision's old root": idx_files("FashionMNIST/{split}-{kind}-idx{n}-ubyte"),
    "IDX, zip": zipped(idx_files("{split}-{kind}-idx{n}-ubyte")),
}  # fmt: skip
"""Files of both splits, by the form; the data is the directory, or the only file at its top."""


def write(folder: Path, files: Files) -> Path:
    """Write files; returns the data: the only file, or the directory."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    only = [path for path in folder.iterdir() if len(files) == 1]
    return only[0] if only else folder
