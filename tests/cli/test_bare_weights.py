"""The course's own file of weights, through every command that takes a model."""

import json
from pathlib import Path

import torch

from tests.cli.conftest import Program


def test_bare_weights_work_as_the_model_that_they_are_of(
    fmnist: Program, trained_model: Path, tmp_path: Path
) -> None:
    from fmnist_cli.checkpoints import checkpoint

    weights = tmp_path / "weights.pt"
    torch.save(checkpoint.load(trained_model).model.state_dict(), weights)
    bare = (weights, "--model", "tutorial")
    judged = ("--data", "synthetic:600", "--format", "json")
    own, found = (fmnist("evaluate", *model, *judged).stdout for model in ((trained_model,), bare))
    same = ("accuracy", "loss", "confusion_matrix")
    assert {key: json.loads(own)[key] for key in same} == {
        key: json.loads(found)[key] for key in same
    }

    fmnist("show", "--data", "synthetic:600", "-n", "3", "-o", f"{tmp_path}/in/")
    assert (
        fmnist("predict", *bare, tmp_path / "in").stdout
        == fmnist("predict", trained_model, tmp_path / "in").stdout
    )

    done = fmnist("export-onnx", *bare, "-o", tmp_path / "m.onnx")
    assert done.returncode == 0, done.stderr
    exported = fmnist("evaluate", tmp_path / "m.onnx", *judged).stdout
    assert json.loads(exported)["accuracy"] == json.loads(own)["accuracy"]


def test_bare_weights_alone_name_no_network(fmnist: Program, tmp_path: Path) -> None:
    torch.save({"weight": torch.zeros(2)}, tmp_path / "weights.pt")
    done = fmnist("evaluate", tmp_path / "weights.pt")
    assert done.returncode == 65
    assert "--model NAME" in done.stderr
    done = fmnist("evaluate", tmp_path / "weights.pt", "--model", "tutorial")
    assert done.returncode == 65
    assert "other weights" in done.stderr
