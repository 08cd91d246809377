"""`data.download`: the directory holds the official files, or the error says why not."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fmnist_cli.data import download
from fmnist_cli.data.download import MirrorError, WrongContent, deliver
from fmnist_cli.errors import DataError, MissingInput, StorageError, Unavailable
from tests.data import hostile
from tests.data.small_mirror import CONTENTS, SMALL

FIRST = SMALL["train"][0]
CONTENT = CONTENTS[FIRST.name]
OTHER = CONTENT[:-1] + bytes([CONTENT[-1] ^ 1])
DEAD = "http://127.0.0.1:1/"


@pytest.fixture(autouse=True)
def small_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small files under the official names; no mirror but those that a test names; short waits."""
    monkeypatch.setattr(download, "FILES", SMALL)
    monkeypatch.setattr(download, "MIRRORS", ())
    monkeypatch.setattr(download, "READ_SECONDS", 0.3)
    monkeypatch.setattr(download, "PAUSES", (0, 0.01))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.delenv(download.MIRROR_VARIABLE, raising=False)


@pytest.fixture
def server() -> Iterator[hostile.Mirror]:
    with hostile.serve(CONTENTS) as mirror:
        yield mirror


def official(folder: Path) -> set[str]:
    """Names of the files in a directory, apart from the lock; each has the official content."""
    names = {path.name for path in folder.iterdir() if path.name != ".fmnist-lock"}
    assert all((folder / name).read_bytes() == CONTENTS[name] for name in names)
    return names


def test_each_file_is_downloaded_once(tmp_path: Path, server: hostile.Mirror) -> None:
    folder = tmp_path / "new" / "data"
    download.fetch(folder, mirrors=[server.url])
    (folder / ".fmnist-lock").unlink()
    before = folder.stat().st_mtime_ns
    download.fetch(folder, mirrors=[DEAD])
    download.verify(folder)
    assert folder.stat().st_mtime_ns == before
    assert official(folder) == set(CONTENTS)
    assert len(server.requests) == 4


def test_only_the_splits_asked_for(tmp_path: Path, server: hostile.Mirror) -> None:
    download.fetch(tmp_path, mirrors=[server.url], splits=("train",))
    assert official(tmp_path) == {file.name for file in SMALL["train"]}
    download.verify(tmp_path, ("train",))
    with pytest.raises(MissingInput, match=r"t10k.*fmnist download"):
        download.verify(tmp_path)


@pytest.mark.parametrize("other", [b"", b"the digits", OTHER])
def test_a_file_with_other_content_is_replaced_by_force_only(
    tmp_path: Path, server: hostile.Mirror, other: bytes
) -> None:
    foreign = tmp_path / SMALL["test"][1].name
    foreign.write_bytes(other)
    refused = rf"{foreign.name}' is not the official(.|\n)*--data-dir.*--force"
    with pytest.raises(DataError, match=refused):
        download.fetch(tmp_path, mirrors=[server.url])
    with pytest.raises(DataError, match=refused):
        download.verify(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [foreign.name]
    assert foreign.read_bytes() == other
    assert server.requests == []
    download.fetch(tmp_path, mirrors=[server.url], force=True)
    assert official(tmp_path) == set(CONTENTS)
    download.fetch(tmp_path, mirrors=[server.url], force=True)
    assert len(server.requests) == 8


def test_mirrors_are_tried_in_turn(
    tmp_path: Path, server: hostile.Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(download.MIRROR_VARIABLE, server.url)
    with hostile.serve(CONTENTS, hostile.status(403)) as refusing:
        download.fetch(tmp_path, mirrors=[str(tmp_path / "nowhere"), refusing.url])
    assert official(tmp_path) == set(CONTENTS)
    # The mirror that delivered the first file is asked first for the others.
    assert len(refusing.requests) == 1


def test_the_error_names_each_mirror_and_its_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(download.MIRROR_VARIABLE, "")
    gone = str(tmp_path / "gone")
    with (
        hostile.serve(CONTENTS, hostile.status(403)) as refusing,
        hostile.serve(CONTENTS, hostile.body(b"<html>")) as portal,
        pytest.raises(Unavailable) as caught,
    ):
        download.fetch(tmp_path / "data", mirrors=[gone, refusing.url, portal.url, DEAD])
    subject, reasons, advice = str(caught.value).splitlines()
    assert FIRST.name in subject
    assert [reason.partition(": ")[0] for reason in reasons.split("; ")] == [
        *(gone, refusing.url, portal.url, DEAD)
    ]
    assert re.search("no such file.*HTTP 403.*no gzip file.*Failed to establish", reasons)
    assert "--mirror" in advice
    assert official(tmp_path / "data") == set()


@pytest.mark.parametrize(
    ("answer", "kind", "reason", "requests"),
    [
        (hostile.status(404), MirrorError, "HTTP 404", 1),
        (hostile.status(503), MirrorError, "HTTP 503", 2),
        (hostile.body(b"<html>sign in</html>"), MirrorError, "no gzip file", 1),
        (hostile.body(CONTENT[:1000]), WrongContent, "it holds 1,000 bytes, not", 1),
        (hostile.body(CONTENT + b"more"), WrongContent, "it holds more than", 1),
        (hostile.packed_bomb, WrongContent, "it holds more than", 1),
        (hostile.endless, WrongContent, "it holds more than", 1),
        (hostile.broken_off(0.5), MirrorError, "Connection broken", 2),
        (hostile.stalled, MirrorError, "Read timed out", 2),
        (hostile.trickling, MirrorError, "less than 10,000 bytes/s", 1),
        (hostile.redirect(f"/fashion/{FIRST.name}"), MirrorError, "redirects", 31),
        (hostile.redirect("file:///etc/passwd"), MirrorError, "file:///etc/passwd", 1),
        (hostile.redirect("http://["), MirrorError, "URL", 1),
    ],
)
def test_a_mirror_that_fails(
    tmp_path: Path, answer: hostile.Answer, kind: type[MirrorError], reason: str, requests: int
) -> None:
    with hostile.serve(CONTENTS, answer) as server, pytest.raises(MirrorError, match=reason) as e:
        deliver(FIRST, server.url, tmp_path / FIRST.name)
    assert type(e.value) is kind
    assert len(server.requests) == requests
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "answer",
    [
        *(hostile.status(429), hostile.status(500), hostile.broken_off(0), hostile.broken_off(0.5)),
        hostile.redirect(f"../elsewhere/{FIRST.name}"),
    ],
)
def test_a_further_request_delivers(tmp_path: Path, answer: hostile.Answer) -> None:
    progress: list[tuple[str, int, int]] = []
    with hostile.serve(CONTENTS, answer, hostile.honest) as server:
        deliver(FIRST, server.url, tmp_path / FIRST.name, lambda *done: progress.append(done))
    assert (tmp_path / FIRST.name).read_bytes() == CONTENT
    assert progress[-1] == (FIRST.name, len(CONTENT), len(CONTENT))
    assert len(server.requests) >= 2


@pytest.mark.parametrize("url", ["http://", "http://[", "http://a b/", "http://127.0.0.1:99999"])
def test_a_malformed_address(tmp_path: Path, url: str) -> None:
    with pytest.raises(MirrorError):
        deliver(FIRST, url, tmp_path / FIRST.name)


def test_the_proxy_of_the_environment(
    tmp_path: Path, server: hostile.Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("no_proxy")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.setenv("http_proxy", server.url)
    deliver(FIRST, "http://mirror.invalid/data", tmp_path / FIRST.name)
    assert server.requests == [f"http://mirror.invalid/data/{FIRST.name}"]


@pytest.mark.parametrize("wrong", [CONTENT[:-1], OTHER])
def test_a_directory_is_a_mirror(tmp_path: Path, wrong: bytes) -> None:
    mirror, path = tmp_path / "mirror", tmp_path / "data" / FIRST.name
    mirror.mkdir()
    (mirror / FIRST.name).write_bytes(wrong)
    with pytest.raises(WrongContent):
        deliver(FIRST, str(mirror), path)
    assert not path.exists()
    (mirror / FIRST.name).write_bytes(CONTENT)
    deliver(FIRST, str(mirror), path)
    assert path.read_bytes() == CONTENT


@pytest.mark.skipif(sys.platform == "win32", reason="needs limits on the size of files")
def test_a_full_disk(tmp_path: Path, server: hostile.Mirror) -> None:
    import resource
    import signal

    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, limits[1]))
    try:
        with pytest.raises(StorageError, match="no file was created"):
            download.fetch(tmp_path, mirrors=[server.url])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert official(tmp_path) == set()


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
from tests.data.small_mirror import use_small_files
use_small_files()
for _ in range(2):
    download.fetch(Path(sys.argv[1]), mirrors=[sys.argv[2]])
print("online" if "requests" in sys.modules else "offline")
"""


def test_four_processes_at_once_download_each_file_once(
    tmp_path: Path, server: hostile.Mirror
) -> None:
    command = [sys.executable, "-c", FETCH, str(tmp_path), server.url]
    root = Path(__file__).parents[2]
    runs = [
        subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=root) for _ in range(4)
    ]
    outcomes = [(run.communicate(timeout=60)[1], run.returncode) for run in runs]
    assert outcomes == [("", 0)] * 4
    assert official(tmp_path) == set(CONTENTS)
    assert len(server.requests) == 4
    again = subprocess.run(command, capture_output=True, text=True, check=True, cwd=root)
    assert again.stdout == "offline\n"
