"""A folder with one sub-folder of pictures per class, named after the class or its number."""

from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from fmnist_cli.constants import CLASS_NAMES, IMAGE_SIZE, NUM_CLASSES
from fmnist_cli.data.images import LabeledImages
from fmnist_cli.data.pictures import PICTURE_SUFFIXES, decode
from fmnist_cli.errors import DataError, MissingInput, in_one_line

_FAULTS_NAMED: Final = 3
_PICTURES_PER_TASK: Final = 64


def read(folder: Path, *, workers: int = 0) -> LabeledImages:
    """Read every picture of every class's sub-folder, and of the folders in it, by sorted path.

    Pictures of any size and color; each is decoded as `pictures.decode` does on its own account.
    `workers`: processes that decode; 0 decodes in this one. Other files and hidden ones are left
    alone. Raises MissingInput where there is no such folder, DataError where a sub-folder is no
    class, there are no pictures, or some can't be read: the message names the first of them.
    """
    labels, paths = [], []
    for path, label in sorted(_pictures(folder)):
        paths.append(path)
        labels.append(label)
    if not paths:
        lies_flat = any(path.suffix.lower() in PICTURE_SUFFIXES for path in folder.iterdir())
        what = "pictures of no class" if lies_flat else "no pictures"
        raise DataError(
            f"'{folder}' holds {what}\nexpected a sub-folder of pictures per class, "
            f"named 0 to {NUM_CLASSES - 1} or {CLASS_NAMES[1]}, {CLASS_NAMES[2]}, …"
        )
    return LabeledImages(_decode_all(paths, workers), np.array(labels, dtype=np.int64))


def has_split(folder: Path, split: Literal["train", "test"]) -> bool:
    """Whether a folder keeps that split in a sub-folder of its name."""
    return (folder / split).is_dir()


def label_of(name: str) -> int | None:
    """Label of a class's name or number, as a folder may write it; None where it names no class.

    Letters and digits alone count, in any case; "T-shirt/top" is also "tshirt".
    """
    return _LABELS.get(_letters(name))


def _letters(name: str) -> str:
    return "".join(character for character in name.lower() if character.isalnum())


_LABELS: Final = {
    _letters(name): label
    for label, class_name in enumerate(CLASS_NAMES)
    for name in (str(label), class_name, class_name.partition("/")[0])
}


def _pictures(folder: Path) -> Iterable[tuple[Path, int]]:
    """Picture files with their labels, in no order."""
    try:
        subfolders = [path for path in folder.iterdir() if path.is_dir() and not _is_hidden(path)]
    except (FileNotFoundError, NotADirectoryError):
        raise MissingInput(f"no folder at '{folder}'") from None
    except OSError as error:
        raise DataError(f"'{folder}' can't be read: {error.strerror}") from None
    for subfolder in sorted(subfolders):
        label = label_of(subfolder.name)
        if label is None:
            raise DataError(
                f"'{in_one_line(str(subfolder))}' is named after no class\n"
                f"expected 0 to {NUM_CLASSES - 1} or one of {', '.join(CLASS_NAMES)}"
            )
        for path in subfolder.rglob("*"):
            if path.suffix.lower() in PICTURE_SUFFIXES and not _is_hidden(path):
                yield path, label


def _is_hidden(path: Path) -> bool:
    return path.name.startswith(".")


def _decode_all(paths: Sequence[Path], workers: int) -> NDArray[np.uint8]:
    """Decode pictures in order; returns uint8 [N, 28, 28]."""
    images = np.empty((len(paths), IMAGE_SIZE, IMAGE_SIZE), dtype=np.uint8)
    faults = []
    if workers:
        # Not forked: a copy of a process whose threads hold locks can hang.
        context = get_context("spawn")
        with ProcessPoolExecutor(workers, mp_context=context) as pool:
            outcomes = pool.map(_decode_one, paths, chunksize=_PICTURES_PER_TASK)
            faults = _collect(outcomes, images)
    else:
        faults = _collect(map(_decode_one, paths), images)
    if faults:
        unnamed = len(faults) - _FAULTS_NAMED
        more = f" (and {unnamed:,} more pictures)" if unnamed > 0 else ""
        raise DataError("\n".join(faults[:_FAULTS_NAMED]) + more)
    return images


def _collect(outcomes: Iterable[NDArray[np.uint8] | str], images: NDArray[np.uint8]) -> list[str]:
    """Put the images in their places; returns what is wrong with those that are none."""
    faults = []
    for position, outcome in enumerate(outcomes):
        if isinstance(outcome, str):
            faults.append(outcome)
        else:
            images[position] = outcome
    return faults


def _decode_one(path: Path) -> NDArray[np.uint8] | str:
    """Pixels of a picture, or why there are none."""
    try:
        return decode(path).pixels
    except (DataError, MissingInput) as error:
        return in_one_line(str(error))
