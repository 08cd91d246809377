"""Run folders: named, found, locked, described."""

import os
import tomllib
from pathlib import Path

import pytest

from fmnist_cli.errors import Locked, MissingInput
from fmnist_cli.training.options import TrainConfig
from fmnist_cli.training.run_directory import RunDirectory, as_options


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
    for age, name in enumerate(("new", "old")):
        state = Path("runs", name, "last.pt")
        state.parent.mkdir(parents=True)
        state.touch()
        os.utime(state, (1e9 - age, 1e9 - age))
    assert RunDirectory.find("last").path.name == "new"
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
    folder.write_options(config)
    options = tomllib.loads(Path("r/run.toml").read_text())
    assert options == as_options(config)
    assert options["data"] == config.data
    assert options["time-budget"] == "90s"
    assert options["val-size"] == 0
    assert "class-weights" not in options
