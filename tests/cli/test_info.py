"""`fmnist info` as users and scripts meet it."""

from pathlib import Path

from tests.cli.conftest import Program
from tests.evaluation.evaluated_models import forbid_torch
from tests.written_models import write_onnx


def test_machine(fmnist: Program) -> None:
    machine = fmnist.json("info", schema="info-machine")
    assert machine["devices"][-1]["name"] == "cpu"
    assert machine["packages"]["torch"] in fmnist("info").stdout


def test_a_trained_model(fmnist: Program, trained_model: Path) -> None:
    model = fmnist.json("info", trained_model, schema="info-model")
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
    env = {"PYTHONPATH": str(tmp_path)}
    model = fmnist.json("info", path, env=env, cwd=Path(__file__).parents[2], schema="info-model")
    assert (model["format"], model["network"]) == ("onnx", "tutorial")


def test_the_sample(fmnist: Program) -> None:
    data = fmnist.json("info", "sample:50", schema="info-data")
    assert (data["kind"], data["is_sample"], data["shared"]) == ("sample", True, 0)
    assert data["splits"]["train"]["n"] == 50
    text = fmnist("info", "sample:50").stdout
    assert "(sample in the package)" in text
    assert data["splits"]["train"]["fingerprint"] in text


def test_official_data(fmnist: Program, mirror: Path) -> None:
    data = fmnist.json("info", "fashion-mnist", "--data-dir", mirror, schema="info-data")
    assert data["shared"] == 0
    train, test = data["splits"]["train"], data["splits"]["test"]
    assert (train["n"], test["n"]) == (60_000, 10_000)
    assert (round(train["mean"], 4), round(train["std"], 4)) == (0.2860, 0.3530)
    assert (train["duplicates"], test["duplicates"]) == (0, 0)
    assert train["in_official"] == {"train": 60_000, "test": 0}
