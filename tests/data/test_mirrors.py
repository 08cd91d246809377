"""`data.mirrors` against servers that behave, break, lie and stall."""

import gzip
import hashlib
import os
import re
import socket
import time
from pathlib import Path

import pytest

from fmnist_cli.constants import DataFile
from fmnist_cli.data import mirrors
from fmnist_cli.data.mirrors import BrokenOff, MirrorError, WrongContent, deliver
from fmnist_cli.errors import OutputError, StorageError
from tests.data import hostile

CONTENT = gzip.compress(os.urandom(300_000))
FILE = DataFile("file.gz", len(CONTENT), hashlib.sha256(CONTENT).hexdigest())
OTHER = gzip.compress(os.urandom(300_000))
assert len(OTHER) == len(CONTENT)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Short waits, and no proxy of the machine between the test and its server."""
    monkeypatch.setattr(mirrors, "READ_SECONDS", 0.3)
    monkeypatch.setattr(mirrors, "GRACE_SECONDS", 0.3)
    monkeypatch.setattr(mirrors, "BACKOFF_SECONDS", 0.01)
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.fixture
def partial(tmp_path: Path) -> Path:
    return tmp_path / "file.gz.part"


def receive(partial: Path, *answers: hostile.Answer) -> list[str | None]:
    """Deliver from a server with these answers; returns the ranges that it was asked for."""
    with hostile.serve({FILE.name: CONTENT}, *answers) as server:
        deliver(FILE, server.url, partial)
        return [asked for _, asked in server.requests]


def refuse(partial: Path, *answers: hostile.Answer) -> MirrorError:
    with (
        hostile.serve({FILE.name: CONTENT}, *answers) as server,
        pytest.raises(MirrorError) as caught,
    ):
        deliver(FILE, server.url, partial)
    return caught.value


def test_progress_is_told_up_to_the_end(partial: Path) -> None:
    told: list[tuple[str, int, int]] = []
    with hostile.serve({FILE.name: CONTENT}) as server:
        deliver(FILE, server.url + "/", partial, lambda *progress: told.append(progress))
    assert told[-1] == (FILE.name, len(CONTENT), len(CONTENT))
    assert told == sorted(told)
    assert partial.read_bytes() == CONTENT


def test_what_broke_off_is_continued(partial: Path) -> None:
    half = len(CONTENT) // 2
    assert receive(partial, hostile.broken_off(0.5), hostile.honest) == [None, f"bytes={half}-"]
    assert partial.read_bytes() == CONTENT


@pytest.mark.parametrize(
    "answer", [hostile.deaf_to_ranges, hostile.wrong_range, hostile.unsatisfiable]
)
def test_a_server_that_does_not_continue_starts_afresh(
    partial: Path, answer: hostile.Answer
) -> None:
    receive(partial, hostile.broken_off(0.5), answer, hostile.honest)
    assert partial.read_bytes() == CONTENT


@pytest.mark.parametrize("left", [OTHER[:1000], OTHER, OTHER + b"more", b"<html>"])
def test_what_another_run_left_does_not_blame_this_mirror(partial: Path, left: bytes) -> None:
    partial.write_bytes(left)
    receive(partial)
    assert partial.read_bytes() == CONTENT


def test_what_is_whole_already_is_not_asked_for(partial: Path) -> None:
    partial.write_bytes(CONTENT)
    assert receive(partial) == []


@pytest.mark.parametrize("code", [429, 500, 503])
def test_a_server_in_trouble_is_asked_again(partial: Path, code: int) -> None:
    assert len(receive(partial, hostile.status(code), hostile.honest)) == 2
    assert str(refuse(partial.with_name("other.part"), hostile.status(code))) == f"HTTP {code}"


@pytest.mark.parametrize("code", [204, 403, 404, 410])
def test_a_refusal_is_final(partial: Path, code: int) -> None:
    with (
        hostile.serve({FILE.name: CONTENT}, hostile.status(code)) as server,
        pytest.raises(MirrorError, match=f"HTTP {code}"),
    ):
        deliver(FILE, server.url, partial)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("answer", "kind", "message"),
    [
        (hostile.body(b"<html>sign in</html>"), MirrorError, "no gzip file"),
        (hostile.body(CONTENT[:1000]), WrongContent, "it holds 1000 bytes, not"),
        (hostile.body(CONTENT + b"more"), WrongContent, "bytes, not"),
        (hostile.body(OTHER), WrongContent, "SHA-256"),
        (hostile.packed_bomb, WrongContent, "bytes, not"),
        (hostile.endless_bomb, WrongContent, "SHA-256"),
        (hostile.broken_off(0), BrokenOff, "ended after 0 of|broke off"),
        (hostile.stalled, BrokenOff, "silent for 0.3 s"),
        (hostile.trickling, MirrorError, "less than 10,000 bytes/s"),
        (hostile.redirect("/fashion/file.gz"), MirrorError, "redirects more than 5 times"),
        (hostile.redirect("ftp://127.0.0.1/"), MirrorError, "redirects to 'ftp:"),
        (hostile.redirect("http://["), MirrorError, "malformed"),
        (hostile.redirect("http://127.0.0.1:99999/"), MirrorError, ""),
    ],
)
def test_what_is_hopeless_is_given_up_with_a_reason(
    partial: Path, answer: hostile.Answer, kind: type[MirrorError], message: str
) -> None:
    fault = refuse(partial, answer)
    assert isinstance(fault, kind)
    assert re.search(message, str(fault))
    assert not partial.exists() or partial.read_bytes() == CONTENT[: partial.stat().st_size]


def test_a_redirect_is_followed(partial: Path) -> None:
    receive(partial, hostile.redirect("../elsewhere/file.gz"), hostile.honest)
    assert partial.read_bytes() == CONTENT


def test_an_endless_body_is_cut_at_the_size(partial: Path) -> None:
    receive(partial, hostile.endless)
    assert partial.read_bytes() == CONTENT


@pytest.mark.parametrize("url", ["http://", "http://[", "http://a b/", "http://127.0.0.1:99999"])
def test_a_malformed_address_is_a_reason(partial: Path, url: str) -> None:
    with pytest.raises(MirrorError):
        deliver(FILE, url, partial)


def test_a_port_where_nobody_listens(partial: Path) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        started_at = time.monotonic()
        with pytest.raises(MirrorError, match="no connection"):
            deliver(FILE, f"http://127.0.0.1:{held.getsockname()[1]}", partial)
    assert time.monotonic() - started_at < mirrors.CONNECT_SECONDS


def test_the_proxy_of_the_environment_is_asked(
    partial: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("no_proxy")
    monkeypatch.delenv("NO_PROXY", raising=False)
    with hostile.serve({FILE.name: CONTENT}) as server:
        monkeypatch.setenv("http_proxy", server.url)
        deliver(FILE, "http://mirror.invalid/data", partial)
    assert server.requests == [("http://mirror.invalid/data/file.gz", None)]


def test_a_folder_is_a_mirror(partial: Path, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    with pytest.raises(MirrorError, match="no such file"):
        deliver(FILE, str(folder), partial)
    (folder / FILE.name).write_bytes(CONTENT[:-1])
    with pytest.raises(WrongContent, match="bytes, not"):
        deliver(FILE, str(folder), partial)
    (folder / FILE.name).write_bytes(OTHER)
    with pytest.raises(WrongContent, match="SHA-256"):
        deliver(FILE, str(folder), partial)
    (folder / FILE.name).write_bytes(CONTENT)
    deliver(FILE, str(folder), partial)
    assert partial.read_bytes() == CONTENT


def test_a_full_disk_is_a_storage_error(tmp_path: Path) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("no /dev/full on this platform")
    partial = tmp_path / "file.gz.part"
    partial.symlink_to(full)
    with hostile.serve({FILE.name: CONTENT}) as server, pytest.raises(StorageError, match="space"):
        deliver(FILE, server.url, partial)


def test_a_folder_that_is_gone_is_an_output_error(tmp_path: Path) -> None:
    with hostile.serve({FILE.name: CONTENT}) as server, pytest.raises(OutputError):
        deliver(FILE, server.url, tmp_path / "gone" / "file.gz.part")
