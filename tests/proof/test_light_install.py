"""An ONNX file is used without torch and everything else that only training needs."""

import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fmnist_cli.inference.loading import load
from tests.written_models import write_onnx

ROOT = Path(__file__).parents[2]
ABSENT = (
    *("torch", "torchvision", "pandas", "sklearn", "scipy", "matplotlib"),
    *("platformdirs", "filelock", "pooch", "requests", "jinja2"),
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


def assert_it_works(program: list[str], folder: Path, environment: dict[str, str]) -> None:
    """Predict and info give what they give with everything installed."""

    def run(*arguments: str) -> str:
        done = subprocess.run(
            [*program, *arguments],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    line = json.loads(run("predict", "model.onnx", "picture.png"))
    pixels = np.asarray(Image.open(folder / "picture.png"))[None]
    expected = load(folder / "model.onnx", device="cpu")(pixels)[0]
    assert line["label"] == expected.argmax()
    assert line["probability"] == pytest.approx(float(expected.max()), abs=1e-4)
    assert json.loads(run("info", "model.onnx", "--format", "json"))


def test_nothing_else_is_imported(folder: Path) -> None:
    """In this environment, with imports of the rest refused."""
    (folder / "sitecustomize.py").write_text(REFUSE_IMPORTS)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)])}
    refused = subprocess.run(
        [sys.executable, "-c", "import torch"], env=environment, capture_output=True, check=False
    )
    assert refused.returncode != 0, "the imports are not refused"
    assert_it_works([sys.executable, "-m", "fmnist_cli"], folder, environment)


@pytest.mark.proof
def test_the_light_install_of_the_readme(folder: Path) -> None:
    """In a fresh environment that holds the named packages alone."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    home = folder / "light"
    subprocess.run([sys.executable, "-m", "venv", home], check=True)
    binaries = Path(sysconfig.get_path("scripts", "venv", {"base": str(home)}))
    install = [str(binaries / "python"), "-m", "pip", "install", "--quiet"]
    for arguments in (
        ("-c", "constraints.txt", "-r", "requirements-light.txt"),
        ("--no-deps", "."),
    ):
        subprocess.run([*install, *arguments], cwd=ROOT, env=environment, check=True)
    for name in ABSENT:
        lookup = [str(binaries / "python"), "-c", f"import {name}"]
        assert subprocess.run(lookup, capture_output=True, check=False).returncode != 0
    assert_it_works([str(binaries / "fmnist")], folder, environment)
    size = sum(file.lstat().st_size for file in (home / "lib").rglob("*") if file.is_file())
    print(f"light install: {size / 2**20:.0f} MiB")
