"""The wheel and the sdist, installed in fresh environments, are the whole program."""

import json
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest

from fmnist_cli.constants import CLASS_NAMES, VERSION
from tests.proof.environments import Environment
from tests.sample_images import draw, photograph

pytestmark = pytest.mark.proof

ROOT = Path(__file__).parents[2]
GARMENTS = 50
CARD = ("fmnist", "info", "pretrained", "--format", "json")


class Installation(Environment):
    """A package, in an environment that borrows the dependencies of this one."""

    def __init__(self, home: Path, package: Path) -> None:
        super().__init__(home)
        library = Path(sysconfig.get_path("purelib", "venv", {"base": str(home)}))
        # Its own packages come first, and what is installed here in editable form is not followed.
        borrowed = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
        (library / "borrowed.pth").write_text("\n".join(sorted(borrowed)))
        self.run("python", "-m", "pip", "install", "--quiet", "--no-deps", str(package), cwd=home)


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The wheel and the sdist, built in an environment of the builder's own."""
    folder = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "build", "--outdir", str(folder), str(ROOT)]
    subprocess.run(build, check=True, stdout=subprocess.DEVNULL)
    (wheel,), (sdist,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
    return wheel, sdist


@pytest.fixture(scope="module")
def installed(
    packages: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory
) -> Installation:
    return Installation(tmp_path_factory.mktemp("wheel") / "home", packages[0])


def test_both_hold_what_is_not_python(packages: tuple[Path, Path]) -> None:
    wheel, sdist = packages
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    for name in ("py.typed", "pretrained/pretrained.pt", "evaluation/page.html"):
        assert f"fmnist_cli/{name}" in names
    assert not [name for name in names if not name.startswith(("fmnist_cli/", "fmnist_cli-"))]
    with tarfile.open(sdist) as archive:
        held = {name.partition("/")[2] for name in archive.getnames()}
    kept = ("fmnist_cli/pretrained/pretrained.pt", "docs/onnx.md", "tests/conftest.py", "Makefile")
    assert held >= {*kept, "constraints.txt", "LICENSE"}
    print(f"wheel {wheel.stat().st_size:,} bytes, sdist {sdist.stat().st_size:,} bytes")


def test_the_metadata_is_complete(installed: Installation, tmp_path: Path) -> None:
    script = (
        "import json; from importlib.metadata import metadata; import fmnist_cli;"
        "m = metadata('fmnist-cli').json; m['file'] = fmnist_cli.__file__; print(json.dumps(m))"
    )
    found = json.loads(installed.run("python", "-c", script, cwd=tmp_path))
    assert Path(found["file"]).is_relative_to(installed.home), "not the installed one"
    assert found["version"] == VERSION
    assert found["license_expression"] == "MIT"
    assert found["description"].startswith("# fmnist")
    assert found["requires_python"] == ">=3.11"
    for name in ("summary", "keywords", "classifier", "project_url", "license_file"):
        assert found[name]


def test_the_program_predicts_right_after_the_install(
    installed: Installation, tmp_path: Path
) -> None:
    assert installed.run("fmnist", "--version", cwd=tmp_path) == f"fmnist {VERSION}\n"
    show = ("show", "--data", "sample", "-n", str(GARMENTS), "-o", "drawn/")
    installed.run("fmnist", *show, cwd=tmp_path)
    drawn = installed.run("fmnist", "predict", "pretrained", "drawn", cwd=tmp_path)
    answers = [json.loads(line) for line in drawn.splitlines()]
    assert len(answers) == GARMENTS

    (tmp_path / "photos").mkdir()
    garments = draw(GARMENTS, "test")
    for number, image in enumerate(garments.images):
        photograph(image).save(tmp_path / f"photos/{number:03}.jpg")
    photos = installed.run("fmnist", "predict", "pretrained", "photos", cwd=tmp_path)
    labels = [json.loads(line)["label"] for line in photos.splitlines()]
    right = float(np.mean(np.array(labels) == garments.labels))
    print(f"garments, photographed: {right:.0%} of {GARMENTS} named rightly")
    assert right > 0.5, "chance is a tenth"
    card = json.loads(installed.run(*CARD, cwd=tmp_path))
    assert Path(card["model"]).is_relative_to(installed.home)
    assert card["classes"] == list(CLASS_NAMES)


def test_completion_is_installed_and_completes(installed: Installation, tmp_path: Path) -> None:
    def complete(words: str, place: int) -> str:
        return installed.run(
            "fmnist",
            cwd=tmp_path,
            _FMNIST_COMPLETE="complete_bash",
            COMP_WORDS=words,
            COMP_CWORD=str(place),
        )

    assert complete("fmnist pre", 1).split() == ["predict"]
    assert complete("fmnist train --sched", 2).split() == ["--schedule"]
    script = "fmnist --show-completion && fmnist --install-completion; :"
    # Typer asks which shell it is run by.
    shown = installed.run("bash", "-c", script, cwd=tmp_path, HOME=str(tmp_path))
    assert "complete -o default -F _fmnist_completion fmnist" in shown
    assert "fmnist" in (tmp_path / ".bashrc").read_text()


def test_the_sdist_installs_too(packages: tuple[Path, Path], tmp_path: Path) -> None:
    installed = Installation(tmp_path / "home", packages[1])
    assert installed.run("fmnist", "--version", cwd=tmp_path) == f"fmnist {VERSION}\n"
    card = json.loads(installed.run(*CARD, cwd=tmp_path))
    assert Path(card["model"]).is_relative_to(installed.home)
