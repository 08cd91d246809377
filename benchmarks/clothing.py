"""The clothing dataset on disk: what the makers and measurements of photos read.

Each directory holds `photos.csv` (image, folder, sender, footwear) and the photos as
FOLDER/IMAGE.jpg.
"""

import csv
import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from PIL import Image, ImageOps

from fmnist_cli.constants import CLASS_NAMES
from fmnist_cli.data.class_names import ANY_FOOTWEAR, label_of

SCORED: Final = ("t-shirt", "pants", "longsleeve", "dress", "outwear", "shirt", "shoes")
"""Folders of the photos whose garments are a class of Fashion-MNIST, or footwear."""
_SYNONYMS: Final = {"polo": 0, "body": None, "not sure": None, "other": None, "skip": None}
_SIDE: Final = 448
"""Photos are reduced to this longer side."""


class Photo(NamedTuple):
    """A line of photos.csv."""

    path: Path
    folder: str
    sender: str
    footwear: str

    @property
    def is_held_out(self) -> bool:
        """Whether its sender is one of the fifth that is only measured."""
        return int(hashlib.sha256(self.sender.encode()).hexdigest(), 16) % 5 == 0

    @property
    def label(self) -> int | None:
        """None if it shows nothing of Fashion-MNIST."""
        if self.folder in _SYNONYMS:
            return _SYNONYMS[self.folder]
        label = label_of(self.folder)
        if label == ANY_FOOTWEAR:
            return CLASS_NAMES.index(self.footwear) if self.footwear in CLASS_NAMES else None
        return label


def read_photos(directories: Iterable[Path]) -> list[Photo]:
    """All photos of the directories, in the order of their tables."""
    found = []
    for directory in directories:
        with (directory / "photos.csv").open(newline="") as file:
            for row in csv.DictReader(file):
                path = directory / row["folder"] / f"{row['image']}.jpg"
                found.append(Photo(path, row["folder"], row["sender"], row["footwear"]))
    return found


def open_photo(path: Path) -> Image.Image:
    """An upright RGB photo, reduced to at most 448 pixels."""
    with Image.open(path) as photo:
        photo.draft("RGB", (_SIDE, _SIDE))
        upright = ImageOps.exif_transpose(photo).convert("RGB")
    upright.thumbnail((_SIDE, _SIDE))
    return upright


def link(photos: Sequence[Photo], directory: Path) -> Path:
    """Link the photos into a directory, a subdirectory per folder."""
    for photo in photos:
        target = directory / photo.folder / photo.path.name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(photo.path.absolute())
    return directory
