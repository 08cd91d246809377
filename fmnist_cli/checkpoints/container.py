"""The outside of a model file: a zip that is checked, and read as far as JSON, without torch."""

import os
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Final

from fmnist_cli.checkpoints.metadata import MetadataFault, parse_metadata
from fmnist_cli.checkpoints.pickles import MAX_PICKLE_BYTES, read_pickle
from fmnist_cli.checkpoints.zips import Member, ZipFault, read_directory
from fmnist_cli.errors import CheckpointError
from fmnist_cli.pretrained import no_model

METADATA_MEMBER: Final = "metadata.json"
DIGESTS_MEMBER: Final = "trained_on.bin"

_PICKLE_MEMBER: Final = "data.pkl"
_BYTE_ORDER_MEMBER: Final = "byteorder"
_MAX_ORDER_BYTES: Final = 100
_MAX_METADATA_BYTES: Final = 1_000_000
_MAX_DIGESTS_BYTES: Final = 100_000_000
"""Of 20 million images."""
_PIECE_BYTES: Final = 1 << 20


class Container:
    """A model file's zip. Everything in it has the checksum that it should have."""

    def __init__(self, path: Path, file: BinaryIO, members: dict[str, Member]) -> None:
        self.path = path
        self._file = file
        self._members = members
        """By their names within the one folder that holds them all."""

    def __contains__(self, name: str) -> bool:
        return name in self._members

    def size(self, name: str) -> int:
        """Bytes of a member; 0 where there is none of that name."""
        return self._members[name].size if name in self._members else 0

    def read(self, name: str, most_bytes: int) -> bytes:
        """A member's content; empty where there is none. Raises CheckpointError if it is larger."""
        if self.size(name) > most_bytes:
            raise CheckpointError(f"'{self.path}' is no model file: its {name} is too large")
        content = bytearray(self.size(name))
        self.read_into(name, memoryview(content))
        return bytes(content)

    def read_into(self, name: str, target: memoryview) -> None:
        """Fill `target` from the beginning of a member."""
        if name in self._members:
            self._file.seek(self._members[name].start)
        if self._file.readinto(target) < len(target):  # type: ignore[attr-defined]
            raise CheckpointError(f"'{self.path}' became shorter while it was read")

    def metadata(self) -> dict[str, Any]:
        """Everything but the tensors. Raises as `read_metadata`."""
        content = self.read(METADATA_MEMBER, _MAX_METADATA_BYTES)
        if not content:
            raise CheckpointError(
                f"'{self.path}' was not written by fmnist: it has no {METADATA_MEMBER}\n"
                "where it holds the weights of a known network, name that: --model NAME"
            )
        try:
            return parse_metadata(content)
        except MetadataFault as fault:
            raise CheckpointError(f"'{self.path}': its {METADATA_MEMBER} {fault}") from None

    def content(self) -> object:
        """What the pickle holds, with a TensorRecord for each tensor."""
        order = self.read(_BYTE_ORDER_MEMBER, _MAX_ORDER_BYTES)
        if order not in (b"", sys.byteorder.encode()):
            raise CheckpointError(f"'{self.path}' was written by a machine of another byte order")
        pickle = self.read(_PICKLE_MEMBER, MAX_PICKLE_BYTES)
        return read_pickle(pickle, str(self.path))[0]


@contextmanager
def open_container(path: Path) -> Iterator[Container]:
    """Open a model file's zip after checking all of it: its form, and the sum of each member.

    Raises MissingInput where there is no file, CheckpointError where it is no sound container.
    """
    if not path.exists():
        raise no_model(path)
    if path.is_dir():
        raise CheckpointError(f"'{path}' is a folder; expected a model file")
    try:
        with path.open("rb") as file:
            directory = read_directory(file, file.seek(0, os.SEEK_END))
            _check_sums(file, directory)
            yield Container(path, file, _in_one_folder(directory))
    except ZipFault as fault:
        raise CheckpointError(f"'{path}' is no model file, or a damaged one: {fault}") from None
    except OSError as error:
        raise CheckpointError(
            f"the model '{path}' can't be read: {error.strerror or error}"
        ) from None


def _check_sums(file: BinaryIO, directory: dict[str, Member]) -> None:
    for name, member in directory.items():
        file.seek(member.start)
        crc, left = 0, member.size
        while left and (piece := file.read(min(left, _PIECE_BYTES))):
            crc = zlib.crc32(piece, crc)
            left -= len(piece)
        if crc != member.crc or left:
            raise ZipFault(f"the checksum of '{name}' is wrong")


def _in_one_folder(directory: dict[str, Member]) -> dict[str, Member]:
    folders = {name.partition("/")[0] for name in directory}
    if len(folders) > 1:
        raise ZipFault("its members are not in one folder")
    return {name.partition("/")[2]: member for name, member in directory.items()}


def read_metadata(path: Path) -> dict[str, Any]:
    """Everything but the tensors, without importing torch.

    Raises MissingInput where there is no file, CheckpointError where it is not a model of ours or
    of a format newer than this program.
    """
    with open_container(path) as container:
        return container.metadata()


def read_digests(path: Path) -> bytes:
    """Digests of the images that the model was trained on; empty where none are recorded."""
    with open_container(path) as container:
        return container.read(DIGESTS_MEMBER, _MAX_DIGESTS_BYTES)
