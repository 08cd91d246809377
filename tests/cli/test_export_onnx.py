"""`fmnist export-onnx` through the installed program."""

import json
from pathlib import Path

import onnx
import pytest

from tests.cli.conftest import Program
from tests.written_models import write_checkpoint

FLAW = """
import sys
from importlib.abc import MetaPathFinder

class Flaw(MetaPathFinder):
    '''Shift the graph's last bias before the module that uses it is loaded.'''

    def find_spec(self, name, path, target=None):
        if name != "fmnist_cli.export.onnx_file":
            return None
        from fmnist_cli.export import graph
        import numpy
        sound = graph.build_graph

        def flawed(*arguments, **options):
            written = sound(*arguments, **options)
            bias = next(t for t in written.graph.initializer if t.name.endswith("fc.2.bias"))
            shifted = numpy.frombuffer(bias.raw_data, "<f4") + numpy.eye(10, dtype="f4")[3]
            bias.raw_data = shifted.tobytes()
            return written

        graph.build_graph = flawed
        return None

sys.meta_path.insert(0, Flaw())
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_checkpoint(tmp_path / "model.pt")
    return tmp_path


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_without_arguments_model_pt_becomes_model_onnx(fmnist: Program, folder: Path) -> None:
    done = fmnist("export-onnx", cwd=folder)
    assert (done.returncode, done.stdout) == (0, "model.onnx\n"), done.stderr
    assert "agrees with torch on 300 images" in done.stderr
    assert names(folder) == ["model.onnx", "model.pt"]
    onnx.checker.check_model(folder / "model.onnx", full_check=True)


def test_int8_and_its_card(fmnist: Program, folder: Path) -> None:
    done = fmnist(
        *("export-onnx", "--format", "json", "--logits", "--opset", "20", "--verify", "10"),
        *("--quantize", "int8"),
        cwd=folder,
    )
    assert done.returncode == 0, done.stderr
    card = json.loads(done.stdout)
    assert card["opset"] == 20
    assert "logits" in card["outputs"]
    assert card["metadata"]["export"]["parity"]["images"] == 10
    for figure in ("int8 accuracy: ", "int8 size: ", "int8 speed: "):
        assert figure in done.stderr


def test_evaluate_gives_the_same_accuracy(fmnist: Program, folder: Path) -> None:
    done = fmnist("export-onnx", "-q", "model.pt", "-o", "new/place.onnx", cwd=folder)
    assert (done.returncode, done.stdout, done.stderr) == (0, "new/place.onnx\n", "")
    accuracies = [
        json.loads(fmnist("evaluate", model, "--format", "json", cwd=folder).stdout)["accuracy"]
        for model in ("model.pt", "new/place.onnx")
    ]
    assert accuracies[0] == accuracies[1]


def test_disagreement_is_70_and_leaves_no_file(fmnist: Program, folder: Path) -> None:
    hook = folder / "hook"
    hook.mkdir()
    (hook / "sitecustomize.py").write_text(FLAW)
    done = fmnist("export-onnx", cwd=folder, env={"PYTHONPATH": f"{hook}:{Path.cwd()}"})
    assert done.returncode == 70, done.stderr
    assert done.stdout == ""
    assert "ONNX and torch disagree" in done.stderr
    assert "Traceback" not in done.stderr
    assert names(folder) == ["hook", "model.pt"]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["gone.pt"], 66),
        (["text.pt"], 65),
        (["--opset", "3"], 2),
        (["--verify", "0"], 2),
        (["-o", "."], 73),
    ],
)
def test_exit_codes(fmnist: Program, folder: Path, arguments: list[str], code: int) -> None:
    (folder / "text.pt").write_text("not a model")
    before = names(folder)
    done = fmnist("export-onnx", *arguments, cwd=folder)
    assert done.returncode == code, done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert names(folder) == before
