"""Output files appear complete or not at all."""

import errno
import os
import signal
import stat
from pathlib import Path

import pytest

from fmnist_cli import files
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
def test_a_failure_leaves_the_existing_file(tmp_path: Path, failure: Exception) -> None:
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


def test_an_unwritable_path_is_refused_before_and_after_writing(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path, tmp_path / "file/below"):
        with pytest.raises(OutputError):
            check_writable(path)
        with pytest.raises(OutputError), atomic_write(path):
            pass
    check_writable(tmp_path / "new/folder/file")


@POSIX
def test_the_partial_file_of_a_killed_writer_is_removed_and_a_living_ones_is_not(
    tmp_path: Path,
) -> None:
    path = tmp_path / "file"
    before = os.umask(0o027)
    killed = os.fork()
    if killed == 0:
        with atomic_write(path) as temporary:
            temporary.write_text("half")
            os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(killed, 0)
    os.umask(before)
    assert [entry.read_text() for entry in tmp_path.iterdir()] == ["half"]
    with atomic_write(path) as first, atomic_write(path) as second:
        assert first != second
        second.write_text("second")
        first.write_text("first")
    assert path.read_text() == "first"
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~before, "not what the dead one had"
    assert list(tmp_path.iterdir()) == [path]


@POSIX
def test_a_device_is_not_replaced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OutputError, match="device or a pipe"), atomic_write(tmp_path / "pipe"):
        pass
    assert (tmp_path / "pipe").is_fifo()


def test_a_failed_flush_of_the_directory_says_that_the_file_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By then, the new file has replaced the old one."""

    def fail(folder: Path) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(files, "_flush_folder", fail)
    path = tmp_path / "file"
    with pytest.raises(StorageError, match="is written, but"), atomic_write(path) as temporary:
        temporary.write_text("new")
    assert path.read_text() == "new"
