"""`fmnist export-onnx` through the installed program."""

from pathlib import Path

import onnx
import pytest

from tests.cli.conftest import Program
from tests.cli.schemas import parse
from tests.written_models import write_checkpoint


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_checkpoint(tmp_path / "model.pt")
    return tmp_path


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_without_arguments_model_pt_becomes_model_onnx(fmnist: Program, folder: Path) -> None:
    done = fmnist("export-onnx")
    assert done.stdout == "model.onnx\n"
    assert "agrees with torch on 300 images" in done.stderr
    assert names(folder) == ["model.onnx", "model.pt"]
    onnx.checker.check_model(folder / "model.onnx", full_check=True)


def test_int8_and_its_card(fmnist: Program, folder: Path) -> None:
    done = fmnist(
        *("export-onnx", "--format", "json", "--logits", "--opset", "20", "--verify", "10"),
        *("--quantize", "int8"),
    )
    card = parse(done.stdout, "export-onnx")
    assert card["metadata"]["classes"][9] == "Ankle boot"
    assert card["opset"] == 20
    assert "logits" in card["outputs"]
    assert card["metadata"]["export"]["parity"]["images"] == 10
    for figure in ("int8 accuracy: ", "int8 size: ", "int8 speed: "):
        assert figure in done.stderr


def test_evaluate_gives_the_same_accuracy(fmnist: Program, folder: Path) -> None:
    done = fmnist("export-onnx", "-q", "model.pt", "-o", "new/place.onnx")
    assert (done.stdout, done.stderr) == ("new/place.onnx\n", "")
    first, second = (fmnist.json("evaluate", x) for x in ("model.pt", done.stdout[:-1]))
    assert first["accuracy"] == second["accuracy"]
