"""An ONNX file is used without torch and everything else that only training needs."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fmnist_cli.inference.loading import load
from tests.proof.environments import Environment
from tests.written_models import write_onnx

ROOT = Path(__file__).parents[2]
ABSENT = (
    *("torch", "torchvision", "pandas", "sklearn", "scipy", "matplotlib"),
    *("platformdirs", "filelock", "requests", "jinja2"),
)
REFUSE_IMPORTS = f"""
import sys
from importlib.abc import MetaPathFinder

class Absent(MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name.partition(".")[0] in {ABSENT!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
        return None

sys.meta_path.insert(0, Absent())
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A model and a picture."""
    write_onnx(tmp_path / "model.onnx")
    pixels = np.random.default_rng(0).integers(0, 256, (28, 28), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "picture.png")
    return tmp_path


def assert_it_works(fmnist: Callable[..., str], folder: Path) -> None:
    """Predict and info give what they give with everything installed."""
    line = json.loads(fmnist("predict", "model.onnx", "picture.png"))
    pixels = np.asarray(Image.open(folder / "picture.png"))[None]
    expected = load(folder / "model.onnx", device="cpu")(pixels)[0]
    assert line["label"] == expected.argmax()
    assert line["probability"] == pytest.approx(float(expected.max()), abs=1e-4)
    assert json.loads(fmnist("info", "model.onnx", "--format", "json"))


def test_nothing_else_is_imported(folder: Path) -> None:
    """In this environment, with imports of the rest refused."""
    (folder / "sitecustomize.py").write_text(REFUSE_IMPORTS)
    variables = {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)])}

    def python(*words: str) -> str:
        return subprocess.check_output(
            [sys.executable, *words], cwd=folder, env=variables, encoding="utf-8"
        )

    with pytest.raises(subprocess.CalledProcessError):
        python("-c", "import torch")
    assert_it_works(partial(python, "-m", "fmnist_cli"), folder)


@pytest.mark.proof
def test_the_light_install_of_the_readme(folder: Path) -> None:
    """In a fresh environment that holds the named packages alone."""
    light = Environment(folder / "light")
    install = ("python", "-m", "pip", "install", "--quiet")
    light.run(*install, "-c", "constraints.txt", "-r", "requirements-light.txt", cwd=ROOT)
    light.run(*install, "--no-deps", ".", cwd=ROOT)
    for name in ABSENT:
        assert light.call("python", "-c", f"import {name}", cwd=folder).returncode != 0
    assert_it_works(partial(light.run, "fmnist", cwd=folder), folder)
    size = sum(file.lstat().st_size for file in (light.home / "lib").rglob("*") if file.is_file())
    print(f"light install: {size / 2**20:.0f} MiB")
