"""What every command shares: help, verbosity, streams."""

import re
from pathlib import Path

import pytest

from tests.cli.conftest import Program

COMMANDS = (
    *("download", "train", "runs", "evaluate", "predict", "export-onnx", "serve", "show", "info"),
    "compare",
)


def test_the_commands_are_those_of_the_contract(fmnist: Program) -> None:
    listed = fmnist("--help").stdout.partition("Commands:")[2]
    assert [
        line.split()[0] for line in listed.splitlines() if line.startswith("  ") and line[2] != " "
    ] == list(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_the_shared_options(fmnist: Program, command: str) -> None:
    short, long = fmnist(command, "-h"), fmnist(command, "--help")
    assert short.stdout == long.stdout
    assert short.returncode == 0
    for option in ("--config", "--quiet", "--verbose", "-q", "-v"):
        assert option in short.stdout
    assert "\x1b" not in short.stdout


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"a." * 20_000 + b"a = 1", "too many parts"),
        ((("a." * 150 + '"\u2028".') * 200 + "a = 1").encode(), "too many parts"),
        (b"# no options\n" * 10_000, "more than 100,000 characters"),
        (b"epochs = '\xff'", "can't decode byte 0xff"),
    ],
    ids=["dotted", "a line for Python alone", "long", "no text"],
)
def test_a_config_that_can_not_be_read_or_would_take_long_is_refused(
    fmnist: Program, tmp_path: Path, content: bytes, reason: str
) -> None:
    (tmp_path / "run.toml").write_bytes(content)
    done = fmnist("train", "--config", tmp_path / "run.toml", code=65)
    assert reason in done.stderr
    assert len(done.stderr.splitlines()) == 2


@pytest.mark.proof
def test_a_home_that_can_not_be_written_is_not_spoken_of(fmnist: Program, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.touch()  # refuses a folder to root, too
    folders = ("HOME", "USERPROFILE", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "MPLCONFIGDIR")
    done = fmnist(
        *("evaluate", "-q", "pretrained", "--data", "sample:20", "--split", "train"),
        *("--confusion", "c.png"),
        env=dict.fromkeys(folders, str(home)),
    )
    assert (tmp_path / "c.png").exists()
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert "the sample in the package" in done.stderr


def test_a_config_saved_by_notepad_is_read(fmnist: Program, tmp_path: Path) -> None:
    (tmp_path / "run.toml").write_text('format = "json"\n', encoding="utf-8-sig")
    assert fmnist("info", "--config", tmp_path / "run.toml").stdout.startswith("{")


@pytest.mark.parametrize(
    ("command", "details"),
    [
        (
            "evaluate pretrained --threads 1",
            (r"pretrained: loaded in .* s; torch on cpu, threads: 1, fp32",),
        ),
        ("show -n 1", ()),
        (
            "train --model tutorial --epochs 1 --threads 1 --precision fp32",
            (r"torch on cpu, threads: 1, fp32",),
        ),
    ],
)
def test_verbose_shows_what_computes_on_what(
    fmnist: Program, command: str, details: tuple[str, ...]
) -> None:
    words = [*command.split(), "--data", "sample:50"]
    shown = fmnist(*words, "-v").stderr
    for detail in (*details, r"data: sample:50, (train|test) split", r"finished in \d+\.\d s"):
        assert re.search(f"^{detail}$", shown, re.MULTILINE), shown
    plain = fmnist(*words, "--format", "json").stderr
    assert "finished" not in plain
