"""`fmnist info` as users and scripts meet it."""

from pathlib import Path

import pytest

from tests.cli.conftest import Program
from tests.cli.schemas import parse
from tests.evaluation.evaluated_models import forbid_torch
from tests.written_models import write_onnx


def test_machine(fmnist: Program) -> None:
    machine = parse(fmnist("info", "--format", "json").stdout, "info-machine")
    assert machine["devices"][-1]["name"] == "cpu"
    done = fmnist("info")
    assert machine["packages"]["torch"] in done.stdout


def test_a_trained_model(fmnist: Program, trained_model: Path) -> None:
    model = parse(fmnist("info", trained_model, "--format", "json").stdout, "info-model")
    assert (model["format"], model["network"], model["parameters"]) == (
        "torch",
        "tutorial",
        582_026,
    )
    assert model["data"]["spec"] == "sample:600"
    assert model["size_bytes"] == trained_model.stat().st_size
    text = fmnist("info", trained_model).stdout
    for word in ("tutorial", "582,026", "sample:600", model["data"]["fingerprint"]):
        assert word in text


def test_an_onnx_model_needs_no_torch(fmnist: Program, tmp_path: Path) -> None:
    path = write_onnx(tmp_path / "m.onnx")
    forbid_torch(tmp_path)
    done = fmnist(
        *("info", path, "--format", "json"),
        env={"PYTHONPATH": str(tmp_path)},
        cwd=Path(__file__).parents[2],
    )
    model = parse(done.stdout, "info-model")
    assert (model["format"], model["network"]) == ("onnx", "tutorial")


@pytest.mark.parametrize("name", ["model.pt", "model.onnx", "model"])
def test_what_predict_refuses_is_refused(fmnist: Program, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"PK\x03\x04 and no more")
    done = fmnist("info", tmp_path / name, code=65)
    assert done.stdout == ""
    assert name in done.stderr


def test_the_sample(fmnist: Program) -> None:
    done = fmnist("info", "sample:50", "--format", "json")
    data = parse(done.stdout, "info-data")
    assert (data["kind"], data["is_sample"], data["shared"]) == ("sample", True, 0)
    assert data["splits"]["train"]["n"] == 50
    text = fmnist("info", "sample:50").stdout
    assert "(sample in the package)" in text
    assert data["splits"]["train"]["fingerprint"] in text


def test_official_data(fmnist: Program, mirror: Path) -> None:
    done = fmnist("info", "fashion-mnist", "--data-dir", mirror, "--format", "json")
    data = parse(done.stdout, "info-data")
    assert data["shared"] == 0
    train, test = data["splits"]["train"], data["splits"]["test"]
    assert (train["n"], test["n"]) == (60_000, 10_000)
    assert (round(train["mean"], 4), round(train["std"], 4)) == (0.2860, 0.3530)
    assert (train["duplicates"], test["duplicates"]) == (0, 0)
    assert train["in_official"] == {"train": 60_000, "test": 0}
