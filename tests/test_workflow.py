"""The workflow of the public home does what the README's commands do, on every system."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def jobs() -> Any:
    workflow = yaml.safe_load((ROOT / ".github/workflows/test.yml").read_text(encoding="utf-8"))
    assert workflow[True]["push"] == {"branches": ["main"]}  # YAML 1.1 reads `on` as true
    return workflow["jobs"]


def runs(job: Any) -> str:
    return "\n".join(step.get("run", "") for step in job["steps"])


def test_every_system_and_every_python_that_is_supported(jobs: Any) -> None:
    matrix = jobs["test"]["strategy"]["matrix"]
    assert {name.partition("-")[0] for name in matrix["os"]} == {"ubuntu", "macos", "windows"}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert f">={matrix['python'][0]}" == project["requires-python"]
    classifiers = [c for c in project["classifiers"] if re.search(r":: 3\.\d+$", c)]
    assert [c.rpartition(" ")[2] for c in classifiers] == matrix["python"]


def test_the_test_command_is_that_of_make(jobs: Any) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    command = re.search(r"python (-m pytest -m \"not proof\".*)", makefile)
    assert command is not None
    for job in jobs.values():
        assert f"python {command[1]}" in runs(job)
        assert '--editable ".[dev]"' in runs(job)
        assert not re.search(r"^\s*make\b", runs(job), re.MULTILINE), "Windows has no make"


def test_accuracy_is_gated_on_data_from_the_cache(jobs: Any) -> None:
    steps = jobs["accuracy"]["steps"]
    (cache,) = [step["with"] for step in steps if "cache@" in step.get("uses", "")]
    assert jobs["accuracy"]["env"]["FMNIST_DATA_DIR"].endswith(cache["path"])
    assert len(re.findall(r"fmnist evaluate .* --min accuracy=0\.9", runs(jobs["accuracy"]))) == 2
