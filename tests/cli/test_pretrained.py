"""The word `pretrained` in place of a model file, through the installed program."""

import json
import re
from pathlib import Path

import pytest

from fmnist_cli.checkpoints.archive import read_metadata
from fmnist_cli.pretrained import FILE
from tests.cli.conftest import Program


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A working folder in which something else bears the model's name."""
    (tmp_path / "pretrained").write_text("a file that is not a model")
    return tmp_path


def test_it_predicts_what_a_drawing_shows(fmnist: Program, folder: Path) -> None:
    fmnist("show", "--data", "sample:600", "-n", "50", "-o", "drawn/")
    done = fmnist("predict", "pretrained", "drawn")
    assert done.stderr == ""
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    drawn = [re.sub(r"[^a-z]+", "-", answer["class"].lower()) for answer in answers]
    right = sum(
        answer["input"].endswith(f"{name}.png") for answer, name in zip(answers, drawn, strict=True)
    )
    assert len(answers) == 50
    assert right > 25


def test_a_file_of_that_name_is_opened_as_a_path_alone(fmnist: Program, folder: Path) -> None:
    card = fmnist.json("info", "pretrained", schema="info-model")
    assert card["model"] == str(FILE)
    assert card["measured"]["command"].startswith("fmnist train")
    done = fmnist("info", "./pretrained", code=65)
    assert "'pretrained' is not a model" in done.stderr


@pytest.mark.proof
def test_its_export_lands_in_the_working_folder(fmnist: Program, folder: Path) -> None:
    done = fmnist("export-onnx", "-q", "pretrained", "--verify", "50")
    assert done.stdout == "pretrained.onnx\n"
    assert not FILE.with_suffix(".onnx").exists()
    both = ("pretrained", "pretrained.onnx", "--data", "sample:600", "--split", "train")
    assert fmnist.json("compare", *both, schema="compare")["agreement"] == 1


def test_it_is_fine_tuned(fmnist: Program, folder: Path) -> None:
    network = read_metadata(FILE).network.name
    start = ("--weights", "pretrained", "--model", network, "--data", "sample:600")
    tuned = fmnist("train", "-q", *start, "--epochs", "1", "--lr", "0.001")
    assert tuned.stdout == "model.pt\n"
    config = read_metadata(folder / "model.pt").config
    assert config is not None
    assert config["weights"] == "pretrained"
    # Two small steps from random weights would be at one in ten.
    assert fmnist.json("evaluate", "model.pt")["accuracy"] > 0.6
