"""Output files appear whole or not at all."""

import errno
import os
import stat
from pathlib import Path

import pytest

from fmnist_cli.errors import OutputError, StorageError
from fmnist_cli.files import atomic_write, check_writable
from tests.platforms import POSIX


@POSIX
def test_a_file_appears_with_its_folders_and_the_users_permissions(tmp_path: Path) -> None:
    path = tmp_path / "a/b/file"
    before = os.umask(0o027)
    try:
        with atomic_write(path) as temporary:
            temporary.write_text("whole")
            assert not path.exists()
    finally:
        os.umask(before)
    assert path.read_text() == "whole"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert [entry.name for entry in path.parent.iterdir()] == ["file"]


@pytest.mark.parametrize("failure", [OSError(errno.ENOSPC, "No space left on device"), KeyError()])
def test_a_failure_leaves_what_stood_there(tmp_path: Path, failure: Exception) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    expected = StorageError if isinstance(failure, OSError) else KeyError

    def write_half() -> None:
        with atomic_write(path) as temporary:
            temporary.write_text("new")
            raise failure

    with pytest.raises(expected):
        write_half()
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_what_can_not_be_written_is_told_before_and_after(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path, tmp_path / "file/below"):
        with pytest.raises(OutputError):
            check_writable(path)
        with pytest.raises(OutputError), atomic_write(path):
            pass
    check_writable(tmp_path / "new/folder/file")
