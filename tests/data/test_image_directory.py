"""`data.folder`: classes by name or number, sorted paths, faults that are named."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fmnist_cli.constants import CLASS_NAMES
from fmnist_cli.data import idx
from fmnist_cli.data import image_directory as folder
from fmnist_cli.errors import DataError, MissingInput

RANDOM = np.random.default_rng(0)


def put(path: Path, level: int = 200) -> Path:
    """Save a picture of the data set's form: a bright square on black."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.zeros((28, 28), np.uint8)
    pixels[8:20, 8:20] = level
    Image.fromarray(pixels).save(path)
    return path


@pytest.mark.parametrize(
    ("name", "label"),
    [
        *((str(label), label) for label in range(10)),
        *((name.replace("/", "_"), label) for label, name in enumerate(CLASS_NAMES)),
        ("tshirt", 0),
        ("T-Shirt", 0),
        ("tshirttop", 0),
        ("ankle-boot", 9),
        ("ANKLE_BOOT", 9),
        ("10", None),
        ("boots", None),
        ("", None),
        ("--", None),
    ],
)
def test_names_of_classes(name: str, label: int | None) -> None:
    assert folder.label_of(name) == label


def test_pictures_come_in_the_order_of_their_paths(tmp_path: Path) -> None:
    for level, name in enumerate(["9/b.png", "9/a.png", "Coat/sub/c.PNG", "Coat/b.bmp", "3/x.png"]):
        put(tmp_path / name, 100 + level)
    put(tmp_path / "9" / ".hidden.png")
    put(tmp_path / ".cache" / "x.png")
    (tmp_path / "9" / "notes.txt").write_text("no picture")
    data = folder.read(tmp_path)
    assert data.labels.tolist() == [3, 9, 9, 4, 4]
    assert data.images.max(axis=(1, 2)).tolist() == [104, 101, 100, 103, 102]


@pytest.mark.parametrize("workers", [0, 2])
def test_faults_are_named_and_counted(tmp_path: Path, workers: int) -> None:
    put(tmp_path / "1" / "fine.png")
    for number in range(5):
        (tmp_path / "1" / f"broken{number}.png").write_text("no picture")
    with pytest.raises(DataError) as caught:
        folder.read(tmp_path, workers=workers)
    message = str(caught.value)
    assert all(f"broken{number}.png" in message for number in range(3))
    assert "broken3" not in message
    assert "2 more" in message
    assert len(message.splitlines()) <= 3


def test_what_is_no_class_is_named(tmp_path: Path) -> None:
    put(tmp_path / "1" / "a.png")
    put(tmp_path / "boots" / "a.png")
    with pytest.raises(DataError, match=r"boots' is named after no class\n.*Ankle boot"):
        folder.read(tmp_path)


def test_a_folder_without_pictures(tmp_path: Path) -> None:
    (tmp_path / "3").mkdir()
    with pytest.raises(DataError, match="holds no pictures"):
        folder.read(tmp_path)


def test_a_missing_folder_is_another_matter(tmp_path: Path) -> None:
    with pytest.raises(MissingInput, match="no folder at"):
        folder.read(tmp_path / "nowhere")


@pytest.mark.parametrize("workers", [0, 2])
def test_the_official_images_come_back_equal(mirror: Path, tmp_path: Path, workers: int) -> None:
    chosen = np.sort(RANDOM.permutation(60_000)[:2_000])
    images = idx.read_images(mirror / "train-images-idx3-ubyte.gz")[chosen]
    labels = idx.read_labels(mirror / "train-labels-idx1-ubyte.gz")[chosen]
    for position, (image, label) in enumerate(zip(images, labels, strict=True)):
        path = tmp_path / str(label) / f"{position:05}.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(image).save(path)
    data = folder.read(tmp_path, workers=workers)
    by_class = np.argsort(labels, kind="stable")
    assert np.array_equal(data.images, images[by_class])
    assert np.array_equal(data.labels, labels[by_class])
