"""A directory of images: sorted paths, splits, and everything that is left out named."""

import logging
import re
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from PIL import Image

from fmnist_cli.constants import CLASS_NAMES
from fmnist_cli.data import image_directory
from fmnist_cli.data.class_names import ANY_FOOTWEAR
from fmnist_cli.errors import DataError, MissingInput
from tests.sample_images import draw, photograph, write_square

RANDOM = np.random.default_rng(0)


def test_pictures_come_in_the_order_of_their_paths(tmp_path: Path) -> None:
    for level, name in enumerate(["9/b.png", "9/a.png", "Coat/sub/c.PNG", "Coat/b.bmp", "3/x.png"]):
        write_square(tmp_path / name, 100 + level)
    write_square(tmp_path / "9" / ".hidden.png")
    write_square(tmp_path / ".cache" / "x.png")
    (tmp_path / "9" / "notes.txt").write_text("no picture")
    data = image_directory.read(tmp_path)
    assert data.labels.tolist() == [3, 9, 9, 4, 4]
    assert data.images.max(axis=(1, 2)).tolist() == [104, 101, 100, 103, 102]


@pytest.mark.parametrize("threads", [1, 2])
def test_faults_are_named_and_counted(tmp_path: Path, threads: int) -> None:
    write_square(tmp_path / "1" / "fine.png")
    for number in range(5):
        (tmp_path / "1" / f"broken{number}.png").write_text("no picture")
    with pytest.raises(DataError) as caught:
        image_directory.read(tmp_path, threads=threads)
    message = str(caught.value)
    assert all(f"broken{number}.png" in message for number in range(3))
    assert "broken3" not in message
    assert "2 more" in message
    assert len(message.splitlines()) <= 3


def test_other_names_are_classes_of_their_own(tmp_path: Path) -> None:
    for name in ("1", "cats", "T-shirt"):
        write_square(tmp_path / name / "a.png")
    data = image_directory.read(tmp_path)
    assert data.classes == ("1", "T-shirt", "cats")
    assert data.labels.tolist() == [0, 1, 2]
    with pytest.raises(DataError, match="the model has no class cats; its classes: T-shirt/top"):
        image_directory.read(tmp_path, CLASS_NAMES)


def test_a_models_classes_give_the_labels(tmp_path: Path) -> None:
    for name in ("DOG", "1", "old_cat"):
        write_square(tmp_path / name / "a.png")
    data = image_directory.read(tmp_path, ("dog", "cow", "Old cat"))
    assert data.labels.tolist() == [1, 0, 2]


def test_a_folder_without_pictures(tmp_path: Path) -> None:
    (tmp_path / "3").mkdir()
    with pytest.raises(DataError, match="holds no pictures"):
        image_directory.read(tmp_path)


def test_what_is_left_out_is_named(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_square(tmp_path / "dresses/a.png")
    write_square(tmp_path / "dresses/.ipynb_checkpoints/a.png")
    write_square(tmp_path / "__MACOSX/dresses/a.png")
    write_square(tmp_path / "dresses/no-suffix.png").rename(tmp_path / "dresses/no-suffix")
    (tmp_path / "dresses/notes.txt").write_text("no picture")
    (tmp_path / "dresses/Thumbs.db").touch()
    (tmp_path / "pants").mkdir()
    noise = RANDOM.integers(0, 256, (80, 60, 3), np.uint8)
    Image.fromarray(noise).save(tmp_path / "dresses/noise.png")
    with caplog.at_level(logging.WARNING, "fmnist_cli"):
        data = image_directory.read(tmp_path)
    assert data.labels.tolist() == [3, 3]
    skipped, missing, lost = caplog.messages
    assert re.fullmatch(r"skipped 1 file that is not a picture \(.*notes.txt\)", skipped)
    assert missing.startswith("no images of T-shirt/top, Trouser, Pullover, Coat")
    assert re.fullmatch(r"no garment was found in 1 photo \(.*noise.png\)", lost)


def test_shoes_of_any_kind_are_for_evaluation(tmp_path: Path) -> None:
    write_square(tmp_path / "shoes/a.png")
    write_square(tmp_path / "coat/a.png")
    with pytest.raises(DataError, match="each for Sandal, Sneaker, Ankle boot"):
        image_directory.read(tmp_path, CLASS_NAMES)
    data = image_directory.read(tmp_path, CLASS_NAMES, any_footwear=True)
    assert data.labels.tolist() == [4, ANY_FOOTWEAR]
    assert image_directory.read(tmp_path).classes == ("coat", "shoes")


@pytest.mark.parametrize(
    ("names", "split", "expected"),
    [
        (("training", "testing"), "train", "training"),
        (("training", "testing"), "test", "testing"),
        (("train", "valid"), "val", "valid"),
        (("train", "valid"), "test", None),
        (("Train", "TEST"), "train", "Train"),
        (("Train", "TEST"), "test", "TEST"),
        (("train", "val", "test"), "test", "test"),
        (("train",), "test", None),
    ],
)
def test_splits(
    tmp_path: Path, names: tuple[str, ...], split: Literal["train", "test", "val"], expected: str
) -> None:
    for name in names:
        (tmp_path / name).mkdir()
    found = image_directory.split_directory(tmp_path, split)
    assert (found and found.name) == expected


def test_other_splits_are_no_classes(tmp_path: Path) -> None:
    assert image_directory.find_split(tmp_path, "train") == tmp_path
    for name in ("Test", "val"):
        (tmp_path / name).mkdir()
    with pytest.raises(MissingInput, match="a split 'Test', but no train split"):
        image_directory.find_split(tmp_path, "train")


def test_photos_are_prepared_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "photos/pullover").mkdir(parents=True)
    photo = photograph(draw(3, "train").images[2])
    photo.save(tmp_path / "photos/pullover/a.jpg")
    cache = tmp_path / "cache"
    first = image_directory.read(tmp_path / "photos", cache=cache)
    monkeypatch.setattr(image_directory, "decode", None)
    again = image_directory.read(tmp_path / "photos", cache=cache)
    assert (again.images == first.images).all()
    monkeypatch.undo()
    photo.rotate(90).save(tmp_path / "photos/pullover/a.jpg")
    changed = image_directory.read(tmp_path / "photos", cache=cache)
    assert (changed.images != first.images).any()
