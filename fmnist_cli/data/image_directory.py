"""A directory with one subdirectory of images per class.

If all subdirectories are named after classes of Fashion-MNIST (or their numbers), these are the
classes; otherwise the names of the subdirectories are.
"""

import hashlib
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from functools import partial
from pathlib import Path
from typing import Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fmnist_cli.constants import CLASS_NAMES, IMAGE_SIZE
from fmnist_cli.data.class_names import (
    ANY_FOOTWEAR,
    FOOTWEAR,
    MAX_CLASSES,
    difference,
    label_of,
    listed,
)
from fmnist_cli.data.image_files import is_hidden, is_picture, walk
from fmnist_cli.data.images import Images, LabeledImages
from fmnist_cli.data.pictures import PhotoMode, Picture, decode
from fmnist_cli.devices import usable_cores
from fmnist_cli.errors import (
    DataError,
    FmnistError,
    MissingInput,
    NoGarment,
    StorageError,
    in_one_line,
)
from fmnist_cli.files import atomic_write, sha256
from fmnist_cli.photos import PREPARATION

_LOG: Final = logging.getLogger(__name__)
_NAMED: Final = 3
_REPORT_SECONDS: Final = 0.25

Track: TypeAlias = Callable[[int, int], None]
"""Progress callback: the number of pictures read so far and in total."""

track: Final[ContextVar[Track]] = ContextVar("track", default=lambda _read, _total: None)
"""Called a few times per second while a directory is read."""

_SPLITS: Final = {
    "train": ("train", "training"),
    "test": ("test", "testing"),
    "val": ("val", "valid", "validation"),
}


def read(
    directory: Path,
    classes: tuple[str, ...] | None = None,
    *,
    photo: PhotoMode = "auto",
    owner: str = "the model",
    any_footwear: bool = False,
    threads: int = 0,
    cache: Path | None = None,
) -> LabeledImages:
    """Read the pictures in the subdirectory of each class, and below it, by sorted path.

    Each is decoded as `pictures.decode` does. Hidden files are ignored. Files that are not
    pictures, photos without a garment and classes without images are named in a warning.

    classes: what the subdirectories are named after; None: `find_classes` decides.
    owner: what has these classes, for errors.
    any_footwear: let subdirectories such as `shoes` be ANY_FOOTWEAR among Fashion-MNIST's classes.
    threads: threads that decode; 0: one per usable core.
    cache: directory that keeps prepared photos by the content of their files.

    Raises DataError if a subdirectory is not a class, there are no pictures, or some can't be read;
    the message names the first of them.
    """
    pictures, skipped = _list(directory)
    if classes is None:
        classes = _classes_of(directory, pictures)
    by_name = {name: label_of(name, classes) for name, paths in pictures.items() if paths}
    if not any_footwear and ANY_FOOTWEAR in by_name.values():
        shoes = next(name for name, label in by_name.items() if label == ANY_FOOTWEAR)
        kinds = ", ".join(CLASS_NAMES[label] for label in sorted(FOOTWEAR))
        raise DataError(
            f"'{directory / shoes}' may be any footwear\nexpected a directory each for {kinds}"
        )
    foreign = [name for name, label in by_name.items() if label is None]
    if foreign:
        raise DataError(f"'{directory}': {difference(foreign, classes, owner)}")
    paths = [path for name in by_name for path in pictures[name]]
    labels = np.repeat(
        np.array([*by_name.values()], np.int64), [len(pictures[name]) for name in by_name]
    )
    with ThreadPoolExecutor(threads or usable_cores()) as pool:
        images = _read_all(paths, photo, pool, cache)
    if skipped:
        files = _count(skipped, "file that is not a picture", "files that are not pictures")
        _LOG.warning("skipped %s", files)
    _warn_of_missing(pictures, labels, classes)
    has_garment = images.max(axis=(1, 2)) > 0
    if not has_garment.any():
        raise DataError(f"'{directory}': no garment was found in any of {len(paths):,} photos")
    if not has_garment.all():
        lost = [path for path, found in zip(paths, has_garment, strict=True) if not found]
        photos = _count(lost, "photo", "photos")
        _LOG.warning("no garment was found in %s", photos)
    return LabeledImages(images, labels, classes, tuple(paths))[has_garment]


@contextmanager
def tracked(by: Track) -> Iterator[None]:
    """Let `by` follow the reading of directories inside the with-block."""
    token = track.set(by)
    try:
        yield
    finally:
        track.reset(token)


def find_classes(directory: Path) -> tuple[str, ...]:
    """The classes that subdirectories with pictures name, without reading the pictures.

    Fashion-MNIST's if all of them do, otherwise their own names, sorted. Raises DataError unless
    there are 2 to 1,000 of them.
    """
    return _classes_of(directory, _list(directory)[0])


def _classes_of(directory: Path, pictures: Mapping[str, list[Path]]) -> tuple[str, ...]:
    names = tuple(name for name, paths in pictures.items() if paths)
    foreign = [name for name in names if label_of(name) in (None, ANY_FOOTWEAR)]
    if not foreign:
        return CLASS_NAMES
    if not 2 <= len(names) <= MAX_CLASSES:
        raise DataError(
            f"'{directory}' has pictures in {len(names):,} "
            f"subdirector{'y' if len(names) == 1 else 'ies'}: {listed(names)}\n"
            f"expected one for each class, 2 to {MAX_CLASSES:,}"
        )
    if len(foreign) < len(names):
        _LOG.info(
            "classes by the subdirectories of '%s': %s (Fashion-MNIST has no %s)",
            directory,
            listed(names),
            listed(foreign),
        )
    return names


def split_directory(directory: Path, split: Literal["train", "test", "val"]) -> Path | None:
    """The subdirectory of a split, such as `train` or `Training`; None if it is missing.

    Raises DataError if the directory can't be read.
    """
    found = {path.name.lower(): path for path in _entries(directory) if path.is_dir()}
    return next((found[name] for name in _SPLITS[split] if name in found), None)


def find_split(directory: Path, split: Literal["train", "test"]) -> Path:
    """The directory of a split's classes: `directory` itself, unless it has splits.

    Raises MissingInput if it has others only, DataError if it can't be read.
    """
    found = {name: split_directory(directory, name) for name in ("train", "test", "val")}
    others = [path for path in found.values() if path is not None]
    if others and found[split] is None:
        raise MissingInput(
            f"'{directory}' has a split '{others[0].name}', but no {split} split\n"
            f"expected '{directory / split}' beside it; to read that one alone, name '{others[0]}'"
        )
    return found[split] or directory


def _list(directory: Path) -> tuple[dict[str, list[Path]], list[Path]]:
    """The pictures by subdirectory, both sorted, and the files that are not pictures."""
    entries = _entries(directory)
    pictures: dict[str, list[Path]] = {path.name: [] for path in entries if path.is_dir()}
    skipped: list[Path] = []
    for name, found in pictures.items():
        for path, fault in walk(str(directory / name)):
            if fault is not None:
                raise fault
            (found if is_picture(path) else skipped).append(Path(path))
    if any(pictures.values()):
        return pictures, skipped
    lies_flat = any(path.is_file() and is_picture(path) for path in entries)
    what = "pictures without a class" if lies_flat else "no pictures"
    raise DataError(
        f"'{directory}' holds {what}\nexpected a subdirectory of pictures per class, "
        f"such as {CLASS_NAMES[1]} and {CLASS_NAMES[4]}, or names of your own"
    )


def _entries(directory: Path) -> list[Path]:
    try:
        return sorted(path for path in directory.iterdir() if not is_hidden(path.name))
    except OSError as error:
        raise DataError(f"'{directory}' can't be read: {error.strerror}") from None


def _warn_of_missing(
    pictures: Mapping[str, list[Path]], labels: NDArray[np.int64], classes: Sequence[str]
) -> None:
    present = set(labels.tolist())
    missing = set(range(len(classes))) - present - (FOOTWEAR if ANY_FOOTWEAR in present else set())
    names = [classes[label] for label in sorted(missing)]
    empty = (name for name, paths in pictures.items() if not paths)
    names += [name for name in empty if label_of(name, classes) is None]
    if names:
        _LOG.warning("no images of %s", ", ".join(in_one_line(name) for name in names))


def _count(paths: Sequence[Path], singular: str, plural: str) -> str:
    """Count files and name the first of them."""
    names = ", ".join(in_one_line(str(path)) for path in paths[:_NAMED])
    more = ", …" if len(paths) > _NAMED else ""
    return f"{len(paths):,} {singular if len(paths) == 1 else plural} ({names}{more})"


def _read_all(
    paths: Sequence[Path], photo: PhotoMode, pool: ThreadPoolExecutor, cache: Path | None
) -> Images:
    """Decode pictures, unless an earlier run has kept them; images as `_decode_all`."""
    if cache is None:
        return _decode_all(paths, photo, pool)[0]
    digest = hashlib.sha256(f"{PREPARATION} {photo}".encode())
    for one in pool.map(_digest, paths):
        digest.update(one)
    file = cache / f"{digest.hexdigest()[:32]}.npy"
    with suppress(OSError, ValueError, EOFError):  # missing or damaged
        kept: Images = np.load(file, allow_pickle=False)
        if kept.dtype == np.uint8 and kept.shape == (len(paths), IMAGE_SIZE, IMAGE_SIZE):
            return kept
    images, any_photo = _decode_all(paths, photo, pool)
    if any_photo:
        try:
            with atomic_write(file) as temporary, temporary.open("wb") as stream:
                np.save(stream, images)
        except FmnistError as error:  # the next run can do without
            _LOG.debug("prepared photos are not kept: %s", error)
    return images


def _decode_all(
    paths: Sequence[Path], photo: PhotoMode, pool: ThreadPoolExecutor
) -> tuple[Images, bool]:
    """Decode pictures in order: uint8 [N, 28, 28], all 0 if no garment was found.

    Returns whether any of them is a photo, too.
    """
    images = np.empty((len(paths), IMAGE_SIZE, IMAGE_SIZE), np.uint8)
    faults, any_photo = [], False
    reported_at = time.monotonic()
    for position, outcome in enumerate(pool.map(partial(_decode, photo=photo), paths)):
        if time.monotonic() - reported_at > _REPORT_SECONDS:
            reported_at = time.monotonic()
            track.get()(position, len(paths))
        if isinstance(outcome, str):
            faults.append(outcome)
        else:
            images[position] = outcome.pixels
            any_photo |= outcome.prepared
    if faults:
        more = f" (and {len(faults) - _NAMED:,} more pictures)" if len(faults) > _NAMED else ""
        raise DataError("\n".join(faults[:_NAMED]) + more)
    return images, any_photo


def _decode(path: Path, photo: PhotoMode) -> Picture | str:
    """Decode a picture; returns what is wrong with one that can't be read."""
    try:
        return decode(path, photo=photo)
    except NoGarment:
        return Picture(np.zeros((IMAGE_SIZE, IMAGE_SIZE), np.uint8), prepared=True)
    except FmnistError as error:
        return in_one_line(str(error))


def _digest(path: Path) -> bytes:
    with suppress(StorageError):
        return bytes.fromhex(sha256(path))
    return b""  # decoding it raises the error
