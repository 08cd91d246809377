"""The outside of a model file: a zip that is checked, and read as far as JSON, without torch."""

import json
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from fmnist_cli.engine.pickles import refuse_code
from fmnist_cli.errors import CheckpointError
from fmnist_cli.pretrained import no_model

FORMAT_VERSION: Final = 1
METADATA_MEMBER: Final = "metadata.json"
DIGESTS_MEMBER: Final = "trained_on.bin"

_MAX_MEMBERS: Final = 10_000
_MAX_METADATA_BYTES: Final = 1_000_000
_ENCRYPTED: Final = 0x1


@contextmanager
def open_container(path: Path) -> Iterator[zipfile.ZipFile]:
    """Open a model file's zip after checking it: stored members, sound sums, a plain pickle.

    Raises MissingInput where there is no file, CheckpointError where it is no sound container.
    """
    if not path.exists():
        raise no_model(path)
    if path.is_dir():
        raise CheckpointError(f"'{path}' is a folder; expected a model file")
    try:
        with zipfile.ZipFile(path) as archive:
            _check(archive, path)
            refuse_code(archive, str(path))
            yield archive
    except (zipfile.BadZipFile, NotImplementedError, EOFError) as error:
        raise CheckpointError(f"'{path}' is no model file, or a damaged one: {error}") from None


def _check(archive: zipfile.ZipFile, path: Path) -> None:
    members = archive.infolist()
    names = [member.filename for member in members]
    if len(names) > _MAX_MEMBERS or len(set(names)) != len(names):
        raise CheckpointError(f"'{path}' is no model file: too many members, or one name twice")
    for member in members:
        # Compression is how a small file becomes a large one; torch.save never uses it.
        if member.compress_type != zipfile.ZIP_STORED or member.flag_bits & _ENCRYPTED:
            raise CheckpointError(f"'{path}' is no model file: a member is compressed or encrypted")
        if member.file_size != member.compress_size:
            raise CheckpointError(f"'{path}' is damaged: a member's sizes disagree")
    if sum(member.file_size for member in members) > path.stat().st_size:
        raise CheckpointError(f"'{path}' is damaged: its members claim more than the file holds")
    damaged = archive.testzip()
    if damaged is not None:
        raise CheckpointError(f"'{path}' is damaged: the checksum of '{damaged}' is wrong")


def read_metadata(path: Path) -> dict[str, Any]:
    """Everything but the tensors, without importing torch.

    Raises MissingInput where there is no file, CheckpointError where it is not a model of ours or
    of a format newer than this program.
    """
    with open_container(path) as archive:
        content = _member(archive, METADATA_MEMBER, _MAX_METADATA_BYTES)
    try:
        metadata = json.loads(content)
    except (ValueError, RecursionError):
        metadata = None
    if not isinstance(metadata, dict) or not isinstance(metadata.get("format_version"), int):
        raise CheckpointError(
            f"'{path}' was not written by fmnist: it has no {METADATA_MEMBER}\n"
            "where it holds the weights of a known network, name that: --model NAME"
        )
    if metadata["format_version"] > FORMAT_VERSION:
        raise CheckpointError(
            f"'{path}' has format {metadata['format_version']}, this program reads up to "
            f"{FORMAT_VERSION}; a newer fmnist is needed: pip install --upgrade fmnist-cli"
        )
    return metadata


def read_digests(path: Path) -> bytes:
    """Digests of the images that the model was trained on; empty where none are recorded."""
    with open_container(path) as archive:
        return _member(archive, DIGESTS_MEMBER, path.stat().st_size)


def _member(archive: zipfile.ZipFile, name: str, most_bytes: int) -> bytes:
    """Content of the member called `name` in the archive's folder; empty where there is none."""
    for member in archive.infolist():
        if member.filename.partition("/")[2] == name and member.file_size <= most_bytes:
            return archive.read(member)
    return b""
