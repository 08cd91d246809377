"""The clients of docs/onnx.md give the labels that the project's own classifier gives."""

import gzip
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from fmnist_cli.data.images import Images
from fmnist_cli.inference.loading import load
from tests.sample_images import draw
from tests.written_models import write_onnx

PAGE = Path(__file__).parents[2] / "docs" / "onnx.md"


def program(language: str) -> str:
    """The page's one program in a language."""
    (code,) = re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    return str(code)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A model, and drawn images in the form of an official file."""
    write_onnx(tmp_path / "model.onnx", "convnet")
    header = np.array([0x803, 1000, 28, 28], ">i4").tobytes()
    images = draw(1000, "test").images
    (tmp_path / "images.gz").write_bytes(gzip.compress(header + images.tobytes(), 1))
    return tmp_path


def read(folder: Path) -> Images:
    content = gzip.decompress((folder / "images.gz").read_bytes())
    return np.frombuffer(content, np.uint8, offset=16).reshape(-1, 28, 28)


def assert_labels_agree(command: list[str], folder: Path) -> None:
    done = subprocess.run(
        [*command, "model.onnx", "images.gz"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    expected = load(folder / "model.onnx", device="cpu")(read(folder)).argmax(axis=1)
    assert len(set(expected)) > 1, "one label for all images proves little"
    assert [int(line) for line in done.stdout.split()] == expected.tolist()


def test_python(folder: Path) -> None:
    (folder / "client.py").write_text(program("python"))
    assert_labels_agree([sys.executable, "client.py"], folder)


@pytest.mark.proof
def test_javascript(folder: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not installed")
    (folder / "package.json").write_text('{"private": true}')
    install = [npm, "install", "--silent", "--ignore-scripts", "onnxruntime-node"]
    subprocess.run(install, cwd=folder, check=True)
    (folder / "client.js").write_text(program("javascript"))
    assert_labels_agree(["node", "client.js"], folder)
