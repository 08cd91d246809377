"""Downloads from servers that refuse, stall and lie: the right file or none, and the right code."""

import gzip
import struct
from collections.abc import Mapping
from pathlib import Path

import pytest

from benchmarks.program import metered
from fmnist_cli.constants import FILES
from tests.cli.conftest import PROGRAM, clean_environment
from tests.cli.test_download import NAMES, NO_NETWORK
from tests.data import hostile
from tests.data.hostile import Answer
from tests.proof.conftest import Record

pytestmark = pytest.mark.proof

FIRST = FILES["train"][0]
MAX_MEGABYTES = 143
"""Twice what a download takes."""
DIGITS = gzip.compress(struct.pack(">4I", 0x803, 60_000, 28, 28) + bytes(60_000 * 784))
"""The form of the digits' file of the same name."""


def same_size(request: hostile.Request, content: bytes) -> None:
    """One bit of the right file is another."""
    request.reply(200, content[:-9] + bytes([content[-9] ^ 1]) + content[-8:])


CASES: Mapping[str, tuple[tuple[Answer, ...], int]] = {
    "503": ((hostile.status(503),), 69),
    "a web page": ((hostile.body(b"<!DOCTYPE html><title>Sign in</title>"),), 69),
    "a stall": ((hostile.stalled,), 69),
    "a trickle": ((hostile.trickling,), 69),
    "a short body": ((hostile.broken_off(0.3), hostile.broken_off(0)), 69),
    "a redirect loop": ((hostile.redirect("/fashion/" + FIRST.name),), 69),
    "the digits": ((hostile.body(DIGITS),), 65),
    "one flipped bit": ((same_size,), 65),
    "a gzip bomb": ((hostile.packed_bomb,), 65),
    "a gzip bomb without end": ((hostile.endless_bomb,), 65),
    "no end after the file": ((hostile.endless,), 65),
    "half a body, then the file": ((hostile.broken_off(0.5), hostile.honest), 0),
    "503, then the file": ((hostile.status(503), hostile.honest), 0),
}


@pytest.fixture(scope="module")
def official(mirror: Path) -> dict[str, bytes]:
    return {name: (mirror / name).read_bytes() for name in NAMES}


def right_files(folder: Path, official: dict[str, bytes]) -> int:
    """How many of the four are in place; each that is has the right content."""
    there = [name for name in NAMES if (folder / name).exists()]
    assert all((folder / name).read_bytes() == official[name] for name in there)
    return len(there)


@pytest.mark.parametrize("case", CASES)
def test_a_hostile_server(
    case: str, official: dict[str, bytes], tmp_path: Path, record: Record
) -> None:
    answers, code = CASES[case]
    with hostile.serve(official, *answers) as server:
        command = [*PROGRAM, "download", "--mirror", server.url, "--data-dir", str(tmp_path)]
        done = metered(*command, env=clean_environment(NO_NETWORK))
    assert done.code == code, done.stderr
    there = right_files(tmp_path, official)
    assert there == (4 if code == 0 else 0)
    if code:
        assert len(done.stderr.partition("error: ")[2].splitlines()) == 3
        assert f"{server.url}: " in done.stderr
    assert done.megabytes < MAX_MEGABYTES
    outcome = "the four right files" if there else "no file"
    outcome = f"exit {code}, {outcome}, {done.megabytes:.0f} MB"
    record(f"download from a server with {case}", 1, outcome)
