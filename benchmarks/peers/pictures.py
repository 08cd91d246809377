"""The official files in the forms that the peers read: folders of PNGs, torchvision's folder."""

import shutil
from pathlib import Path
from typing import Final

from PIL import Image

from fmnist_cli.constants import CLASS_NAMES
from fmnist_cli.data import download
from fmnist_cli.data.sources import open_source

SPLITS: Final = ("train", "test")


def class_folder(label: int) -> str:
    """A class's folder: `0-t-shirt-top`; in sorted order a folder's position is its label."""
    name = CLASS_NAMES[label].lower().replace("/", "-").replace(" ", "-")
    return f"{label}-{name}"


def write_pngs(folder: Path) -> Path:
    """Write `folder/train/CLASS/NUMBER.png` and `folder/test/…`: 70,000 gray pictures of 28x28.

    Does nothing where an earlier call has finished. Returns `folder`.
    """
    done = folder / "complete"
    if done.exists():
        return folder
    for split in SPLITS:
        data = open_source().read(split)
        for label in range(len(CLASS_NAMES)):
            (folder / split / class_folder(label)).mkdir(parents=True, exist_ok=True)
        for number, (image, label) in enumerate(zip(data.images, data.labels, strict=True)):
            path = folder / split / class_folder(int(label)) / f"{number:05}.png"
            Image.fromarray(image).save(path)
    done.touch()
    return folder


def lay_out_for_torchvision(folder: Path) -> Path:
    """Put the four files where `torchvision.datasets.FashionMNIST(folder, download=True)` looks.

    The caller has them unpacked by torchvision: it fetches nothing that is there. Returns `folder`.
    """
    raw = folder / "FashionMNIST" / "raw"
    raw.mkdir(parents=True, exist_ok=True)
    files = download.default_folder()
    download.fetch(files)
    for file in files.glob("*-ubyte.gz"):
        if not (raw / file.name).exists():
            shutil.copy(file, raw)
    return folder
