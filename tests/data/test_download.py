"""`data.download`: the folder holds the official files, or the error says why not."""

import gzip
import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fmnist_cli.constants import FILES, DataFile
from fmnist_cli.data import download, mirrors
from fmnist_cli.errors import DataError, MissingInput, OutputError, Unavailable
from tests.data import hostile

CONTENTS = {
    file.name: gzip.compress(os.urandom(2_000)) for files in FILES.values() for file in files
}
TRAIN = {file.name for file in FILES["train"]}
DEAD = "http://127.0.0.1:1/"


@pytest.fixture(autouse=True)
def small_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of 2 kB under the official names; no mirror but those that a test names."""
    small = {
        split: tuple(
            DataFile(
                file.name,
                len(CONTENTS[file.name]),
                hashlib.sha256(CONTENTS[file.name]).hexdigest(),
            )
            for file in files
        )
        for split, files in FILES.items()
    }
    monkeypatch.setattr(download, "FILES", small)
    monkeypatch.setattr(download, "MIRRORS", ())
    monkeypatch.setattr(mirrors, "BACKOFF_SECONDS", 0.01)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.delenv(download.MIRROR_VARIABLE, raising=False)


@pytest.fixture
def server() -> Iterator[hostile.Mirror]:
    with hostile.serve(CONTENTS) as mirror:
        yield mirror


def official(folder: Path) -> set[str]:
    """Names in the folder, but for the lock's; what stands under an official name is right."""
    names = {path.name for path in folder.iterdir() if path.name != ".fmnist-lock"}
    assert all((folder / name).read_bytes() == CONTENTS[name] for name in names)
    return names


def test_fetches_each_file_once(tmp_path: Path, server: hostile.Mirror) -> None:
    folder = tmp_path / "new" / "data"
    download.fetch(folder, mirrors=[server.url])
    download.fetch(folder, mirrors=[server.url])
    download.verify(folder)
    assert official(folder) == set(CONTENTS)
    assert len(server.requests) == 4


def test_only_the_splits_that_are_asked_for(tmp_path: Path, server: hostile.Mirror) -> None:
    download.fetch(tmp_path, mirrors=[server.url], splits=("train",))
    assert official(tmp_path) == TRAIN
    download.verify(tmp_path, ("train",))
    with pytest.raises(MissingInput, match=r"t10k.*fmnist download"):
        download.verify(tmp_path)


def test_in_place_a_folder_that_is_read_only_is_enough(
    tmp_path: Path, server: hostile.Mirror
) -> None:
    download.fetch(tmp_path, mirrors=[server.url])
    (tmp_path / ".fmnist-lock").unlink()
    before = tmp_path.stat().st_mtime_ns
    download.fetch(tmp_path, mirrors=[DEAD])
    assert tmp_path.stat().st_mtime_ns == before


def test_one_flipped_byte_is_found_and_mended(tmp_path: Path, server: hostile.Mirror) -> None:
    download.fetch(tmp_path, mirrors=[server.url])
    victim = tmp_path / min(TRAIN)
    content = bytearray(victim.read_bytes())
    content[1000] ^= 1
    victim.write_bytes(content)
    with pytest.raises(DataError, match=f"{victim.name}.*fmnist download"):
        download.verify(tmp_path)
    download.fetch(tmp_path, mirrors=[server.url])
    assert official(tmp_path) == set(CONTENTS)
    assert len(server.requests) == 5


def test_force_fetches_what_is_in_place(tmp_path: Path, server: hostile.Mirror) -> None:
    download.fetch(tmp_path, mirrors=[server.url])
    download.fetch(tmp_path, mirrors=[server.url], force=True)
    assert len(server.requests) == 8


def test_mirror_after_mirror(
    tmp_path: Path, server: hostile.Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(download.MIRROR_VARIABLE, server.url)
    with hostile.serve(CONTENTS, hostile.status(403)) as refusing:
        download.fetch(tmp_path, mirrors=[str(tmp_path / "nowhere"), refusing.url])
    assert official(tmp_path) == set(CONTENTS)
    # The mirror that delivered the first file is asked first for the others.
    assert len(refusing.requests) == 1


def test_an_empty_variable_is_no_mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(download.MIRROR_VARIABLE, "")
    with pytest.raises(Unavailable) as caught:
        download.fetch(tmp_path, mirrors=[DEAD])
    assert str(caught.value).splitlines()[1] == f"{DEAD}: no connection"


def test_the_next_mirror_continues_what_one_began(tmp_path: Path, server: hostile.Mirror) -> None:
    with hostile.serve(CONTENTS, hostile.broken_off(0.5), hostile.status(403)) as broken:
        download.fetch(tmp_path, mirrors=[broken.url, server.url])
    assert official(tmp_path) == set(CONTENTS)
    first_path, asked = server.requests[0]
    assert asked == f"bytes={len(CONTENTS[first_path.rpartition('/')[2]]) // 2}-"


def test_the_error_names_each_mirror_and_its_reason(tmp_path: Path) -> None:
    gone = str(tmp_path / "gone")
    with (
        hostile.serve(CONTENTS, hostile.status(403)) as refusing,
        hostile.serve(CONTENTS, hostile.body(b"<html>")) as portal,
        pytest.raises(Unavailable) as caught,
    ):
        download.fetch(tmp_path / "data", mirrors=[gone, refusing.url, portal.url, DEAD])
    lines = str(caught.value).splitlines()
    assert len(lines) == 3
    assert "train-images" in lines[0]
    for mirror, reason in {
        gone: "no such file",
        refusing.url: "HTTP 403",
        portal.url: "it sends no gzip file",
        DEAD: "no connection",
    }.items():
        assert f"{mirror}: {reason}" in lines[1]
    assert "--mirror" in lines[2]
    assert official(tmp_path / "data") == set()


def test_wrong_content_everywhere_is_bad_data(tmp_path: Path) -> None:
    wrong = {name: bytes(reversed(content)) for name, content in CONTENTS.items()}
    wrong = {name: b"\x1f\x8b" + content[2:] for name, content in wrong.items()}
    with (
        hostile.serve(wrong) as liar,
        pytest.raises(DataError, match=r"SHA-256.*\n.*--mirror"),
    ):
        download.fetch(tmp_path, mirrors=[liar.url, DEAD])
    assert official(tmp_path) == set()


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="file"):
        download.fetch(tmp_path / "file" / "data", mirrors=[DEAD])


def test_the_default_folder_is_the_users_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FMNIST_DATA_DIR", raising=False)
    assert download.default_folder().is_relative_to(Path.home())
    assert "fmnist" in download.default_folder().parts
    monkeypatch.setenv("FMNIST_DATA_DIR", "/elsewhere")
    assert download.default_folder() == Path("/elsewhere")


FETCH = """
import sys
from pathlib import Path
from fmnist_cli.data import download
from fmnist_cli.constants import DataFile
files = [DataFile(n, int(s), h) for n, s, h in (a.split(",") for a in sys.argv[3:])]
download.FILES = {"train": files}
download.fetch(Path(sys.argv[1]), mirrors=[sys.argv[2]], splits=["train"])
"""


def test_four_processes_at_once_fetch_each_file_once(
    tmp_path: Path, server: hostile.Mirror
) -> None:
    described = [
        f"{name},{len(content)},{hashlib.sha256(content).hexdigest()}"
        for name, content in CONTENTS.items()
    ]
    command = [sys.executable, "-c", FETCH, str(tmp_path), server.url, *described]
    runs = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(4)]
    outcomes = [(run.communicate(timeout=60)[1], run.returncode) for run in runs]
    assert outcomes == [("", 0)] * 4
    assert official(tmp_path) == set(CONTENTS)
    assert len(server.requests) == 4
