"""Records of tensors to tensors: only here is memory taken for what a file holds."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Protocol

import torch
from torch import Tensor

from fmnist_cli.checkpoints.container import Container
from fmnist_cli.checkpoints.pickles import StorageRecord, TensorRecord
from fmnist_cli.errors import CheckpointError

DTYPES: Final[Mapping[str, torch.dtype]] = {
    "FloatStorage": torch.float32,
    "DoubleStorage": torch.float64,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "ShortStorage": torch.int16,
    "CharStorage": torch.int8,
    "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool,
}
"""By torch's names for storages of their values."""
_MAX_DEPTH: Final = 50


def dtype_of(record: TensorRecord) -> torch.dtype:
    """The type of a tensor's values."""
    return DTYPES[record.storage.kind]


class Storages(Protocol):
    """Where the values of a file's tensors are."""

    path: Path

    def storage_size(self, key: str) -> int:
        """Bytes that the file holds under that key; 0 where there are none."""
        ...

    def read_storage(self, key: str, target: memoryview) -> None:
        """Fill `target`, which has as many bytes."""
        ...


class InZip:
    """The values in torch's zip, a member each."""

    def __init__(self, container: Container) -> None:
        self.path = container.path
        self._container = container

    def storage_size(self, key: str) -> int:
        """See `Storages`."""
        return self._container.size(f"data/{key}")

    def read_storage(self, key: str, target: memoryview) -> None:
        """See `Storages`."""
        self._container.read_into(f"data/{key}", target)


class Reader:
    """Makes tensors of records; of a storage that several share, one.

    most_bytes: what all of them may take; more than that no network needs that the file is for.
    """

    def __init__(self, storages: Storages, most_bytes: int) -> None:
        self.path = storages.path
        self._storages = storages
        self._bytes_left = most_bytes
        self._read: dict[str, tuple[StorageRecord, Tensor]] = {}

    def tensor(self, record: TensorRecord) -> Tensor:
        """Read a tensor, on the CPU. Raises CheckpointError where the file does not hold it."""
        values = self._values(record.storage)
        return values.as_strided(record.shape, record.stride, record.offset)

    def tree(self, content: object, depth: int = 0) -> Any:
        """Plain data with tensors in the place of their records."""
        if depth > _MAX_DEPTH:
            raise CheckpointError(f"'{self.path}' is no model file: its data nests too deep")
        match content:
            case TensorRecord():
                return self.tensor(content)
            case dict():
                return {key: self.tree(value, depth + 1) for key, value in content.items()}
            case list() | tuple():
                return type(content)(self.tree(item, depth + 1) for item in content)
            case str() | int() | float() | None:
                return content
        raise CheckpointError(f"'{self.path}' is damaged: its data is not plain")

    def _values(self, storage: StorageRecord) -> Tensor:
        if storage.key in self._read:
            known, values = self._read[storage.key]
            if known == storage:
                return values
            raise CheckpointError(f"'{self.path}' is damaged: it describes the same values twice")
        dtype = DTYPES[storage.kind]
        size = self._storages.storage_size(storage.key)
        if size != storage.length * dtype.itemsize:
            raise CheckpointError(
                f"'{self.path}' is damaged: it holds {size:,} bytes of what it describes as "
                f"{storage.length:,} values of {dtype}"
            )
        self._bytes_left -= size
        if self._bytes_left < 0:
            raise CheckpointError(f"'{self.path}' holds far more values than its network has")
        content = torch.empty(size, dtype=torch.uint8)
        self._storages.read_storage(storage.key, content.numpy().data)
        values = content.view(dtype)
        self._read[storage.key] = storage, values
        return values
