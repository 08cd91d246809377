"""Files of weights in the form that torch wrote before 2020, and writes on demand.

Five pickles (a number that tells the form, its version, facts of the machine, the state dict, the
keys of its storages), then for each key its length, 8 bytes, and its values. It has no checksums.
"""

import os
import sys
from pathlib import Path
from typing import Any, BinaryIO, Final

from fmnist_cli.checkpoints.pickles import MAX_PICKLE_BYTES, TensorRecord, read_pickle
from fmnist_cli.checkpoints.tensors import DTYPES
from fmnist_cli.errors import CheckpointError

_PICKLES: Final = 5
_MAGIC: Final = 0x1950A86A20F9469CFC6C
_VERSION: Final = 1001
_LENGTH_BYTES: Final = 8


class InOldForm:
    """The values in such a file."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        """Read all but the values. Raises CheckpointError for what is no file of a state dict."""
        self.path = path
        self._file = file
        self._places: dict[str, tuple[int, int]] = {}
        """Where the values of each key begin, and how many bytes they have."""
        head = file.read(MAX_PICKLE_BYTES)
        parts: list[Any] = []
        position = 0
        for _ in range(_PICKLES):
            part, position = read_pickle(head, str(path), position)
            parts.append(part)
        magic, version, machine, self.content, keys = parts
        has_form = (magic, version) == (_MAGIC, _VERSION) and isinstance(machine, dict)
        if not has_form or machine.get("little_endian") is not (sys.byteorder == "little"):
            raise self._damaged()
        self._find_values(keys, position)

    def storage_size(self, key: str) -> int:
        """See `tensors.Storages`."""
        return self._places.get(key, (0, 0))[1]

    def read_storage(self, key: str, target: memoryview) -> None:
        """See `tensors.Storages`."""
        self._file.seek(self._places[key][0])
        self._file.readinto(target)  # type: ignore[attr-defined]

    def _find_values(self, keys: object, position: int) -> None:
        records = self.content.values() if isinstance(self.content, dict) else ()
        storages = {r.storage.key: r.storage for r in records if isinstance(r, TensorRecord)}
        if not isinstance(keys, list) or keys != sorted(storages):
            raise self._damaged()
        file_size = self._file.seek(0, os.SEEK_END)
        for key in keys:
            storage = storages[key]
            self._file.seek(position)
            length = int.from_bytes(self._file.read(_LENGTH_BYTES), sys.byteorder)
            start, size = position + _LENGTH_BYTES, length * DTYPES[storage.kind].itemsize
            self._places[key] = start, size
            position = start + size
            if position > file_size:
                raise self._damaged()
        if position != file_size:
            raise self._damaged()

    def _damaged(self) -> CheckpointError:
        return CheckpointError(f"'{self.path}' is no file of weights, or a damaged one")
