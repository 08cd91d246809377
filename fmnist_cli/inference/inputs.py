"""What `predict` classifies: arguments and stdin to a stream of named inputs, in order.

Nothing is decoded here, and the rows of at most one file are in memory: each input can read itself,
in any thread.
"""

import os
import shlex
import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple, NoReturn

from fmnist_cli.data.image_files import PICTURE_SUFFIXES, is_picture, read_bytes, walk
from fmnist_cli.data.images import Images
from fmnist_cli.data.pictures import PhotoMode, Picture, decode
from fmnist_cli.errors import DataError, FmnistError, MissingInput
from fmnist_cli.files import similar_path
from fmnist_cli.pretrained import NAME

STDIN: Final = "-"
"""The argument that stands for standard input."""

_PIECE_BYTES: Final = 1 << 16
_MAX_LINE_BYTES: Final = 1 << 16
_NO_PATHS: Final = (
    "stdin holds no paths; expected one per line\n"
    "for the bytes of one picture: fmnist predict MODEL --stdin-image -"
)
_NPZ: Final = (
    "'{0}' holds several arrays; save the images alone, by np.save as .npy, or\n"
    "with their labels: fmnist evaluate MODEL --data {0} --predictions FILE.csv"
)


class Input(NamedTuple):
    """One image to classify."""

    name: str
    """Its path as given; `path#N` for image N of a file of many, counted from 0; `-` for stdin."""
    read: Callable[[], Picture]
    """Raises FmnistError if it can't be read."""


@dataclass(slots=True)
class Skipped:
    """Files in directories that are not pictures."""

    count: int = 0
    names: list[str] = field(default_factory=list)
    """Paths of the first three."""

    def add(self, name: str) -> None:
        """Count a file."""
        self.count += 1
        if len(self.names) < 3:
            self.names.append(name)


def check_arguments(arguments: Iterable[str]) -> None:
    """Raise MissingInput for the first argument that names no file or directory."""
    for argument in arguments:
        if argument != STDIN and not os.path.lexists(argument):
            hint = similar_path(argument)
            if argument == NAME:
                hint = "; the model comes first: fmnist predict MODEL INPUT"
            elif argument.startswith(("http://", "https://")):
                command = f"curl -sL {shlex.quote(argument)} | fmnist predict MODEL --stdin-image -"
                hint = f"\npictures come from the web through a pipe: {command}"
            raise MissingInput(f"no file or directory at '{argument}'{hint}")


def open_inputs(
    arguments: Iterable[str],
    *,
    photo: PhotoMode,
    stdin: int,
    stdin_is_image: bool = False,
    skipped: Skipped | None = None,
) -> Iterator[Input]:
    """Yield the inputs that the arguments name, in order.

    An argument, or a line of stdin, is a picture, an IDX, CSV or .npy file, or a directory, whose
    pictures are taken recursively and in sorted order, without hidden files and links to
    directories; `skipped` counts its other files. stdin: the file descriptor behind `-`. If
    something can't be read, reading its input raises the error; paths are taken from stdin as they
    arrive.
    """
    skipped = Skipped() if skipped is None else skipped
    for argument in arguments:
        if argument != STDIN:
            yield from _expand(argument, photo, skipped)
        elif stdin_is_image:
            yield Input(STDIN, lambda: decode(read_bytes(stdin), photo=photo))
        else:
            for line in _lines(stdin):
                if b"\0" in line:
                    raise DataError(_NO_PATHS)
                if line:
                    yield from _expand(os.fsdecode(line), photo, skipped)


def _expand(path: str, photo: PhotoMode, skipped: Skipped) -> Iterator[Input]:
    """Yield the inputs that an argument or a line of stdin names."""
    from fmnist_cli.data import arrays, csv, idx

    try:
        mode = os.stat(path).st_mode  # noqa: PTH116
    except (OSError, ValueError):  # reading it will raise the error
        mode = 0
    suffix = Path(path).suffix.lower()
    if stat.S_ISDIR(mode):
        yield from _directory(path, photo, skipped)
    elif suffix in PICTURE_SUFFIXES or not stat.S_ISREG(mode):
        yield _picture(path, photo)
    elif path.lower().endswith(csv.SUFFIXES):
        yield from _rows(path, (images for images, _ in csv.iterate(Path(path))))
    elif suffix == arrays.NPY_SUFFIX:
        yield from _rows(path, map(arrays.read_npy, [Path(path)]))
    elif suffix == arrays.NPZ_SUFFIX:
        yield _failed(path, DataError(_NPZ.format(path)))
    elif idx.is_idx(Path(path)):
        yield from _rows(path, map(idx.read_images, [Path(path)]))
    else:
        yield _picture(path, photo)


def _picture(path: str, photo: PhotoMode) -> Input:
    return Input(path, partial(decode, path, photo=photo))


def _directory(directory: str, photo: PhotoMode, skipped: Skipped) -> Iterator[Input]:
    is_empty = True
    for path, error in walk(directory):
        if error is None and not is_picture(path):
            skipped.add(path)
            continue
        is_empty = False
        yield _picture(path, photo) if error is None else _failed(path, error)
    if is_empty:
        yield _failed(directory, DataError(f"no pictures in the directory '{directory}'"))


def _rows(path: str, pieces: Iterator[Images]) -> Iterator[Input]:
    """Yield the images of a file that holds many; its first error ends it."""
    count = 0
    try:
        for images in pieces:
            for image in images:
                yield Input(f"{path}#{count}", partial(Picture, image, prepared=False))
                count += 1
    except FmnistError as error:
        yield _failed(path, error)


def _failed(name: str, error: FmnistError) -> Input:
    def fail() -> NoReturn:
        raise error

    return Input(name, fail)


def _lines(descriptor: int) -> Iterator[bytes]:
    """Lines without their ends, each as soon as it arrives.

    Not read through `sys.stdin`: a thread that waits inside its buffer would keep the interpreter
    from exiting.
    """
    rest = b""
    while piece := os.read(descriptor, _PIECE_BYTES):
        *lines, rest = (rest + piece).split(b"\n")
        yield from (line.removesuffix(b"\r") for line in lines)
        if len(rest) > _MAX_LINE_BYTES:
            raise DataError(_NO_PATHS)
    yield rest
