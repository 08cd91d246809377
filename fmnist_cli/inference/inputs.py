"""What `predict` is asked about: arguments and stdin to a stream of named pictures, in order.

Nothing is decoded here and no more than one file's rows is held: each input knows how to read
itself, so that the reading can run elsewhere.
"""

import os
import stat
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple, NoReturn

from fmnist_cli.data.images import Images
from fmnist_cli.data.pictures import (
    MAX_FILE_BYTES,
    PICTURE_SUFFIXES,
    PhotoMode,
    Picture,
    PlainFile,
    begin_decoding,
)
from fmnist_cli.errors import DataError, FmnistError, MissingInput
from fmnist_cli.pretrained import NAME

STDIN: Final = "-"
"""The argument that stands for standard input."""

_CSV_SUFFIX: Final = ".csv"
_PIECE_BYTES: Final = 1 << 16
_MAX_LINE_BYTES: Final = 1 << 16
_NO_PATHS: Final = (
    "stdin holds no paths; expected one a line\n"
    "for the bytes of one picture: fmnist predict MODEL --stdin-image -"
)


class Input(NamedTuple):
    """One picture to be classified."""

    name: str
    """Its path; `path#N` for image N of an IDX or CSV file, counted from 0; `-` for stdin."""
    read: Callable[[], Picture | PlainFile]
    """Raises DataError or MissingInput where there is no such picture."""


def check_arguments(arguments: Iterable[str]) -> None:
    """Raise MissingInput for the first argument that names no file or folder."""
    for argument in arguments:
        if argument != STDIN and not os.path.lexists(argument):
            hint = "; the model comes first: fmnist predict MODEL INPUT" if argument == NAME else ""
            raise MissingInput(f"no file or folder at '{argument}'{hint}")


def open_inputs(
    arguments: Iterable[str], *, photo: PhotoMode, stdin: int, stdin_is_image: bool = False
) -> Iterator[Input]:
    """Yield the inputs that the arguments stand for, in their order.

    An argument, or a line of stdin, is a picture, an IDX or CSV file, or a folder, of which all
    pictures are taken, recursively and in sorted order; hidden files and links to folders are left
    out. stdin: the file descriptor behind `-`. What can't be read becomes an input whose `read`
    raises; paths are taken from stdin as they arrive.
    """
    for argument in arguments:
        if argument != STDIN:
            yield from _expand(Path(argument), photo)
        elif stdin_is_image:
            yield Input(STDIN, lambda: begin_decoding(_read_all(stdin), photo=photo))
        else:
            yield from _from_lines(stdin, photo)


def _expand(path: Path, photo: PhotoMode) -> Iterator[Input]:
    from fmnist_cli.data import csv, idx

    try:
        mode = path.stat().st_mode
    except OSError:  # reading it will tell why
        mode = 0
    is_picture = path.suffix.lower() in PICTURE_SUFFIXES or not stat.S_ISREG(mode)
    if stat.S_ISDIR(mode):
        yield from _folder(path, photo)
    elif is_picture:
        yield _picture(str(path), photo)
    elif path.suffix.lower() == _CSV_SUFFIX:
        yield from _rows(path, (rows.images for rows in csv.iterate(path)))
    elif idx.is_idx(path):
        yield from _rows(path, (idx.read_images(path) for _ in range(1)))
    else:
        yield _picture(str(path), photo)


def _picture(path: str, photo: PhotoMode) -> Input:
    return Input(path, partial(begin_decoding, path, photo=photo))


def _folder(folder: Path, photo: PhotoMode) -> Iterator[Input]:
    pictures = _walk(folder, photo)
    first = next(pictures, None)
    if first is None:
        kinds = " ".join(sorted(PICTURE_SUFFIXES))
        yield _failed(folder, DataError(f"no picture in the folder '{folder}'; expected {kinds}"))
    else:
        yield first
        yield from pictures


def _walk(folder: Path, photo: PhotoMode) -> Iterator[Input]:
    """Yield a folder's pictures, depth first; of the folders on the way the names are held."""
    waiting = [iter([("" if folder == Path() else str(folder), True)])]
    while waiting:
        path, is_folder = next(waiting[-1], (None, False))
        if path is None:
            waiting.pop()
        elif is_folder:
            try:
                waiting.append(_entries(path))
            except OSError as error:
                reason = f"the folder '{path}' can't be listed: {error.strerror}"
                yield _failed(Path(path), DataError(reason))
        else:
            yield _picture(path, photo)


def _entries(folder: str) -> Iterator[tuple[str, bool]]:
    """A folder's pictures and folders, sorted, and which of the two each is.

    Links to folders are left out, because they may go in circles. Paths are put together by
    hand: pathlib would take as long as a small picture takes to read.
    """
    names: list[str] = []
    folders: set[str] = set()
    with os.scandir(folder or os.curdir) as entries:
        for entry in entries:
            name = entry.name
            if name.startswith("."):
                continue
            if entry.is_dir(follow_symlinks=False):
                folders.add(name)
            elif name[name.rfind(".") :].lower() not in PICTURE_SUFFIXES:
                continue
            names.append(name)
    names.sort()
    start = os.path.join(folder, "")  # noqa: PTH118
    return ((start + name, name in folders) for name in names)


def _rows(path: Path, pieces: Iterator[Images]) -> Iterator[Input]:
    """Yield the images of a file that holds many; its first fault ends it."""
    count = 0
    try:
        for images in pieces:
            for image in images:
                yield Input(f"{path}#{count}", partial(Picture, image, prepared=False))
                count += 1
    except FmnistError as error:
        yield _failed(path, error)


def _failed(path: Path, error: FmnistError) -> Input:
    def fail() -> NoReturn:
        raise error

    return Input(str(path), fail)


def _from_lines(stdin: int, photo: PhotoMode) -> Iterator[Input]:
    for line in _lines(stdin):
        if b"\0" in line:
            raise DataError(_NO_PATHS)
        if line:
            yield from _expand(Path(os.fsdecode(line)), photo)


def _lines(descriptor: int) -> Iterator[bytes]:
    """Lines without their ends, each as soon as it is there.

    Not read through `sys.stdin`: a thread that waits inside its buffer would keep the interpreter
    from ending.
    """
    rest = b""
    while piece := os.read(descriptor, _PIECE_BYTES):
        *lines, rest = (rest + piece).split(b"\n")
        yield from (line.removesuffix(b"\r") for line in lines)
        if len(rest) > _MAX_LINE_BYTES:
            raise DataError(_NO_PATHS)
    yield rest


def _read_all(descriptor: int) -> bytes:
    """Everything up to the end, or to more than a picture may have."""
    pieces, size = [], 0
    while size <= MAX_FILE_BYTES and (piece := os.read(descriptor, _PIECE_BYTES)):
        pieces.append(piece)
        size += len(piece)
    return b"".join(pieces)
