"""Names that are no words: shown so that they can be read, and do nothing to a terminal."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from fmnist_cli.checkpoints import checkpoint
from fmnist_cli.pretrained import locate
from tests.cli.conftest import Program
from tests.platforms import POSIX

pytestmark = POSIX

NAME = b"a\nerror: [bold]x[] \x1b[31m\x1b]0;t\x07\r\xff" + "\x9b\u202e\u2028".encode()
"""A newline, markup, escape sequences, bytes that are no UTF-8, a text that turns direction."""
SHOWN = r"a\nerror: [bold]x[] \x1b[31m\x1b]0;t\x07\r\udcff\x9b\u202e\u2028"
COMMANDS = {
    "info": ("info",),
    "evaluate": ("evaluate",),
    "predict": ("predict", "pretrained"),
    "show": ("show", "--data"),
    "train": ("train", "--epochs", "1", "--data"),
}


def check(text: str, name: str = SHOWN) -> None:
    """Check that text holds the name, in at most three lines that look like what they are."""
    *lines, end = text.split("\n")
    assert end == ""
    assert len(lines) <= 3
    assert all(line.isprintable() for line in lines)
    assert not any(line.startswith("error:") for line in lines[1:])
    assert name in text


@pytest.mark.parametrize("command", COMMANDS)
def test_a_name_that_is_not_there(fmnist: Program, command: str) -> None:
    done = fmnist(*COMMANDS[command], os.fsdecode(NAME), code=None)
    assert done.returncode in (2, 66), done.stderr
    check(done.stderr)


@pytest.mark.parametrize(("suffix", "command"), [(b".csv", "show"), (b".pt", "info")])
def test_a_bad_file_and_what_it_holds(
    fmnist: Program, tmp_path: Path, suffix: bytes, command: str
) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + NAME + suffix))
    path.write_bytes(b"label,\x1b[31mred\x07\n")
    done = fmnist(*COMMANDS[command], path, code=65)
    check(done.stderr)


@pytest.mark.parametrize(
    ("option", "code"), [("--output", 73), ("--run-dir", 73), ("--data", 2), ("--weights", 2)]
)
def test_training_refuses_a_name_that_its_files_can_not_record(
    fmnist: Program, tmp_path: Path, option: str, code: int
) -> None:
    path = os.fsdecode(b"d\xff/m.pt")
    done = fmnist(
        *("train", "--data", "sample:20", "--model", "tutorial", "--epochs", "1", option, path),
        code=code,
    )
    assert "d\\udcff/m.pt'" in done.stderr
    assert "not UTF-8" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_directory_whose_name_is_not_utf_8_can_hold_an_exported_model(
    fmnist: Program, trained_model: Path, tmp_path: Path
) -> None:
    path = os.fsdecode(os.fsencode(tmp_path) + b"/d\xff/m.onnx")
    fmnist("export-onnx", "-q", trained_model, "-o", path, "--verify", "10")
    assert 0 < fmnist.json("evaluate", path, "--data", "sample")["accuracy"] < 1


@pytest.mark.parametrize(
    ("variable", "command", "code"),
    [
        ("FMNIST_DEVICE", ("evaluate", "pretrained"), 2),
        ("FMNIST_MIRROR", ("download", "--data-dir", "."), 69),
        ("FMNIST_DATA_DIR", ("download", "--verify"), 66),
        ("RANK", ("train", "--data", "sample:20", "--epochs", "1"), 2),
    ],
)
def test_a_variable(fmnist: Program, variable: str, command: tuple[str, ...], code: int) -> None:
    offline = {"https_proxy": "http://127.0.0.1:9", "http_proxy": "http://127.0.0.1:9"}
    given = {variable: os.fsdecode(NAME.replace(b"\n", b""))}
    done = fmnist(*command, env={**offline, **given}, code=code)
    check(done.stderr, SHOWN.replace(r"\n", ""))


def test_what_a_model_file_was_trained_on(fmnist: Program, tmp_path: Path) -> None:
    loaded = checkpoint.load(locate("pretrained"))
    for spec in ("a\nerror: x", "./a\nerror: x"):
        assert loaded.metadata.data is not None
        metadata = replace(loaded.metadata, data=replace(loaded.metadata.data, spec=spec))
        checkpoint.save(tmp_path / "m.pt", loaded.model.state_dict(), metadata, digests=b"")
        done = fmnist("evaluate", tmp_path / "m.pt", code=2 if spec[0] == "a" else 66)
        check(done.stderr, r"a\nerror: x")


def test_a_name_in_a_folder(fmnist: Program, tmp_path: Path) -> None:
    folder = tmp_path / "1"
    folder.mkdir()
    Path(os.fsdecode(os.fsencode(folder) + b"/" + NAME + b".png")).write_bytes(b"no picture")
    done = fmnist("show", "--data", tmp_path, "--split", "train", code=65)
    check(done.stderr)
    done = fmnist("predict", "pretrained", tmp_path, "--format", "table", code=65)
    check(done.stdout)
