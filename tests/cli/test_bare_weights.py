"""The course's own file of weights, through every command that takes a model."""

import json
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from tests.cli.conftest import Program
from tests.sample_images import draw


def test_every_command_takes_bare_weights(
    fmnist: Program, trained_model: Path, tmp_path: Path
) -> None:
    """A trained model's weights as its owner may have saved them; each command says so."""
    from fmnist_cli.checkpoints import checkpoint

    model = checkpoint.load(trained_model).model
    state = {f"module.{name}": value for name, value in model.state_dict().items()}
    torch.save({"epoch": 3, "state_dict": state}, tmp_path / "best.pth.tar")
    bare = ("best.pth.tar", "--model", "tutorial")
    data = ("--data", "sample:300", "--format", "json")

    def answer(*arguments: str | Path) -> dict[str, Any]:
        done = fmnist(*arguments)
        assert "'best.pth.tar' is read as tutorial" in done.stderr
        document: dict[str, Any] = json.loads(done.stdout)
        return document

    card = answer("info", *bare, "--normalization", "half", "--format", "json")
    assert card["preparation"] == {"mean": 0.5, "std": 0.5}
    assert answer("compare", trained_model, *bare, *data)["agreement"] == 1
    assert "samples" in answer("show", "--errors", *bare, *data)
    Image.fromarray(draw(1, "test").images[0]).save(tmp_path / "a.png")
    labels = [
        answer("predict", *bare, "a.png")["label"],
        json.loads(fmnist("predict", trained_model, tmp_path / "a.png").stdout)["label"],
    ]
    assert labels[0] == labels[1]
    assert answer("export-onnx", *bare, "-o", "m.onnx", "--format", "json")
    assert answer("compare", "m.onnx", *bare, *data)["agreement"] > 0.99
    right, wrong = (
        answer("evaluate", *bare, *data, "--normalization", each)["confusion_matrix"]
        for each in ("raw", "half")
    )
    own = fmnist("evaluate", trained_model, *data)
    assert right == json.loads(own.stdout)["confusion_matrix"] != wrong


def test_a_normalization_is_checked(fmnist: Program) -> None:
    for text in ("imagenet", "0.5", "0.5,0", "0.5,nan", "1,2,3", "0.5,1e-300"):
        done = fmnist("evaluate", "pretrained", "--normalization", text, code=2)
        assert "MEAN,STD" in done.stderr
    done = fmnist("evaluate", "pretrained", "--normalization", "half", code=2)
    assert "leave --normalization out" in done.stderr
