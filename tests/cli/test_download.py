"""`fmnist download` as a user runs it. Every proxy is dead: nothing leaves this machine."""

import os
import shutil
from pathlib import Path

import pytest

from fmnist_cli.constants import FILES
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
    assert (done.returncode, done.stdout) == (0, f"{folder}\n"), done.stderr
    assert len(done.stderr.splitlines()) == 4
    assert "\x1b" not in done.stderr
    assert {path.name for path in folder.iterdir() if path.suffix == ".gz"} == NAMES
    assert not list(folder.glob("*.part"))


def test_in_place_it_touches_no_network(fmnist: Program, in_place: Path) -> None:
    with hostile.serve({}) as server:
        done = fmnist(
            "download",
            env=NO_NETWORK | {"FMNIST_DATA_DIR": str(in_place), "FMNIST_MIRROR": server.url},
        )
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{in_place}\n", "")
    assert server.requests == []


def test_one_flipped_byte_is_found_and_mended(
    fmnist: Program, in_place: Path, mirror: Path
) -> None:
    victim = in_place / FILES["train"][0].name
    with victim.open("r+b") as file:
        file.seek(1_000_000)
        byte = file.read(1)[0]
        file.seek(1_000_000)
        file.write(bytes([byte ^ 1]))
    done = fmnist("download", "--verify", "--data-dir", in_place, env=NO_NETWORK)
    assert (done.returncode, done.stdout) == (65, "")
    assert victim.name in done.stderr
    assert "fmnist download" in done.stderr
    environment = NO_NETWORK | {"FMNIST_MIRROR": str(mirror)}
    done = fmnist("download", "-q", "--data-dir", in_place, env=environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert victim.read_bytes() == (mirror / victim.name).read_bytes()
    done = fmnist("download", "--verify", "--data-dir", in_place, env=NO_NETWORK)
    assert (done.returncode, done.stdout) == (0, f"{in_place}\n")


def test_force_fetches_again(fmnist: Program, in_place: Path, mirror: Path) -> None:
    before = {name: (in_place / name).stat().st_ino for name in NAMES}
    command = ("download", "--force", "--mirror", mirror, "--data-dir", in_place)
    assert fmnist(*command, env=NO_NETWORK).returncode == 0
    assert all((in_place / name).stat().st_ino != before[name] for name in NAMES)


def test_no_mirror_answers(fmnist: Program, tmp_path: Path) -> None:
    with hostile.serve({}) as server:
        done = fmnist("download", "--mirror", server.url, "--data-dir", tmp_path, env=NO_NETWORK)
    assert (done.returncode, done.stdout) == (69, "")
    assert len(done.stderr.splitlines()) <= 3
    assert f"{server.url}: HTTP 404" in done.stderr
    assert "https://storage.googleapis.com" in done.stderr
    assert "--mirror" in done.stderr


@pytest.mark.parametrize(
    ("answer", "code", "reason"),
    [
        (hostile.status(403), 69, "HTTP 403"),
        (hostile.body(b"<!DOCTYPE html>"), 69, "it sends no gzip file"),
        (
            hostile.redirect(f"/fashion/{FILES['train'][0].name}"),
            69,
            "it redirects more than 5 times",
        ),
        (hostile.body(b"\x1f\x8b of digits"), 65, "it holds 12 bytes, not 26421880"),
        (hostile.packed_bomb, 65, "it holds 1000000000 bytes, not 26421880"),
    ],
)
def test_a_server_that_refuses_or_lies(
    fmnist: Program, tmp_path: Path, answer: hostile.Answer, code: int, reason: str
) -> None:
    with hostile.serve(dict.fromkeys(NAMES, b"content"), answer) as server:
        done = fmnist("download", "--mirror", server.url, "--data-dir", tmp_path, env=NO_NETWORK)
    assert (done.returncode, done.stdout) == (code, "")
    assert f"{server.url}: {reason}" in done.stderr
    assert not NAMES & {path.name for path in tmp_path.iterdir()}


def test_a_mirror_with_another_file(fmnist: Program, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong"
    wrong.mkdir()
    (wrong / FILES["train"][0].name).write_bytes(b"\x1f\x8b and more")
    done = fmnist("download", "--mirror", wrong, "--data-dir", tmp_path / "data", env=NO_NETWORK)
    assert done.returncode == 65
    assert f"{wrong}: it holds 11 bytes, not 26,421,880" in done.stderr


def test_nothing_there_to_verify(fmnist: Program, tmp_path: Path) -> None:
    done = fmnist("download", "--verify", "--data-dir", tmp_path)
    assert done.returncode == 66
    assert "fmnist download" in done.stderr


def test_a_folder_that_cannot_be_made(fmnist: Program, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = fmnist("download", "--data-dir", tmp_path / "file" / "data", env=NO_NETWORK)
    assert done.returncode == 73
    assert not done.stdout


@pytest.mark.parametrize("other", [["--force"], ["--mirror", os.curdir]])
def test_verify_goes_alone(fmnist: Program, other: list[str]) -> None:
    done = fmnist("download", "--verify", *other)
    assert done.returncode == 2
    assert "--verify" in done.stderr
