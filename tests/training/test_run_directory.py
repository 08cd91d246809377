"""Run folders: named, found, locked, described."""

import os
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fmnist_cli.errors import Locked, MissingInput
from fmnist_cli.training.options import TrainConfig
from fmnist_cli.training.run_directory import RunDirectory, as_options, as_toml


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_two_runs_of_one_second_get_two_folders() -> None:
    first, second = RunDirectory.new(None, "convnet"), RunDirectory.new(None, "convnet")
    assert first.path != second.path
    assert first.path.parent == Path("runs")
    assert "convnet" in first.path.name


def test_the_last_run_is_the_one_whose_state_is_newest() -> None:
    with pytest.raises(MissingInput):
        RunDirectory.find("last")
    for age, name in enumerate(("deeper/off/seed0", "off/seed0", "new", "old")):
        state = Path("runs", name, "last.pt")
        state.parent.mkdir(parents=True)
        state.touch()
        state.with_name("run.toml").touch()
        os.utime(state, (1e9 - age, 1e9 - age))
    foreign = Path("runs/detect/train/weights/last.pt")  # as YOLO leaves it
    foreign.parent.mkdir(parents=True)
    foreign.touch()
    for name in ("deeper/off/seed0", "off/seed0", "new"):
        assert RunDirectory.find("last").path == Path("runs", name)
        Path("runs", name, "last.pt").unlink()
    assert RunDirectory.find("last").path.name == "old"
    assert RunDirectory.find("runs/old").path.name == "old"
    with pytest.raises(MissingInput, match=r"no last\.pt"):
        RunDirectory.find("runs")


def test_one_run_at_a_time() -> None:
    folder = RunDirectory.new(Path("r"), "convnet")
    with folder.locked(), pytest.raises(Locked, match="another run is using 'r'"):
        folder.locked()
    with folder.locked():
        pass


def test_options_are_written_as_the_command_line_takes_them() -> None:
    folder = RunDirectory.new(Path("r"), "convnet")
    config = TrainConfig(data='a "quoted"\\name\n', time_budget=90.0, val_size=0)
    folder.describe(config, [])
    options = tomllib.loads(Path("r/run.toml").read_text())
    assert options == as_options(config)
    assert options["data"] == config.data
    assert options["time-budget"] == "90s"
    assert options["val-size"] == 0
    assert "class-weights" not in options


VALUES = st.one_of(
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(exclude_categories=["Cs"])),
)


@given(st.dictionaries(st.from_regex(r"[a-z0-9-]+", fullmatch=True), VALUES))
def test_any_table_is_read_back(values: dict[str, str | int | float | bool]) -> None:
    found = tomllib.loads(as_toml(values))
    assert found == values
    assert [type(value) for value in found.values()] == [type(value) for value in values.values()]


def test_a_number_that_toml_would_read_otherwise_is_refused() -> None:
    with pytest.raises(ValueError, match="Out of range"):
        as_toml({"lr": float("nan")})
