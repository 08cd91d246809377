"""`fmnist download` as a user runs it. Every proxy is dead: nothing leaves this machine."""

import shutil
from pathlib import Path

import pytest

from fmnist_cli.constants import FILES, TEST_LABELS, TRAIN_LABELS, DataFile
from tests.cli.conftest import Program
from tests.data import hostile

NO_NETWORK = dict.fromkeys(("http_proxy", "https_proxy"), "http://127.0.0.1:1") | {
    "no_proxy": "127.0.0.1"
}
NAMES = {file.name for files in FILES.values() for file in files}


@pytest.fixture
def in_place(mirror: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    for name in NAMES:
        shutil.copyfile(mirror / name, folder / name)
    return folder


def test_prints_the_folder_and_nothing_else(fmnist: Program, mirror: Path, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "data"
    done = fmnist("download", "--mirror", mirror, "--data-dir", folder, env=NO_NETWORK)
    assert done.stdout == f"{folder}\n"
    assert len(done.stderr.splitlines()) == 4
    assert "\x1b" not in done.stderr
    assert {path.name for path in folder.iterdir() if path.suffix == ".gz"} == NAMES
    assert not list(folder.glob(".*-tmp"))
    found = fmnist.json("download", "--data-dir", folder, env=NO_NETWORK, schema="download")
    assert found["folder"] == str(folder)
    for file in found["files"]:
        assert (folder / file["name"]).stat().st_size == file["bytes"]


def test_in_place_it_touches_no_network(fmnist: Program, in_place: Path) -> None:
    with hostile.serve({}) as server:
        done = fmnist(
            "download",
            env=NO_NETWORK | {"FMNIST_DATA_DIR": str(in_place), "FMNIST_MIRROR": server.url},
        )
    assert (done.stdout, done.stderr) == (f"{in_place}\n", "")
    assert server.requests == []


@pytest.mark.parametrize(
    ("command", "file"),
    [
        ("download", TEST_LABELS),
        ("train --epochs 1 --model tutorial", TRAIN_LABELS),
        ("evaluate pretrained", TEST_LABELS),
    ],
)
def test_a_file_that_is_not_the_official_one_stays(
    fmnist: Program, in_place: Path, mirror: Path, command: str, file: DataFile
) -> None:
    """MNIST's files have the same names."""
    foreign = in_place / file.name
    foreign.write_bytes(b"the digits")
    where = ("--data-dir", in_place, "--mirror", mirror)
    done = fmnist(*command.split(), *where, env=NO_NETWORK, code=65)
    assert done.stdout == ""
    assert f"'{foreign}' is not the official" in done.stderr
    assert "--data-dir, or replace it: fmnist download --force --data-dir " in done.stderr
    assert foreign.read_bytes() == b"the digits"
    done = fmnist("download", "--verify", "--data-dir", in_place, env=NO_NETWORK, code=65)
    assert done.stdout == ""
    fmnist("download", "-q", "--force", *where, env=NO_NETWORK)
    done = fmnist("download", "--verify", "--data-dir", in_place, env=NO_NETWORK)
    assert (done.stdout, done.stderr) == (f"{in_place}\n", "")


@pytest.mark.parametrize(
    ("content", "code", "reason"),
    [
        ({}, 69, "HTTP 404"),
        (dict.fromkeys(NAMES, b"\x1f\x8b of digits"), 65, "it holds 12 bytes, not 26,421,880"),
    ],
    ids=["nothing", "other files"],
)
def test_a_mirror_without_the_official_files(
    fmnist: Program, tmp_path: Path, content: dict[str, bytes], code: int, reason: str
) -> None:
    with hostile.serve(content) as server:
        mirror = ("--mirror", server.url, "--data-dir", tmp_path)
        done = fmnist("download", *mirror, env=NO_NETWORK, code=code)
    assert f"{server.url}: {reason}" in done.stderr
    assert "--mirror" in done.stderr
    assert code == 65 or "https://storage.googleapis.com" in done.stderr
    assert done.stdout == ""
    assert not NAMES & {path.name for path in tmp_path.iterdir()}
