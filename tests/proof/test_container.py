"""The Dockerfile's steps, in a fresh environment instead of a container."""

import json
import re
import shlex
import subprocess
import time
import tomllib
import urllib.request
from pathlib import Path

import pytest

from tests.proof.environments import Environment
from tests.sample_images import draw, png
from tests.written_models import write_onnx

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")


def steps(instruction: str) -> list[str]:
    return re.findall(rf"^ *{instruction} (.*)$", DOCKERFILE, re.MULTILINE)


def test_the_extra_and_the_file_name_the_same_packages() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extra = [re.match(r"[\w-]+", line)[0] for line in project["optional-dependencies"]["serve"]]  # type: ignore[index]
    lines = (ROOT / "requirements-serve.txt").read_text(encoding="utf-8").splitlines()
    assert [line.partition(";")[0] for line in lines if not line.startswith("#")] == extra


@pytest.mark.proof
def test_it_installs_serves_and_is_healthy(tmp_path: Path) -> None:
    model = write_onnx(tmp_path / "model.onnx")
    environment = Environment(tmp_path / "home")
    for step in steps("RUN"):
        environment.run("sh", "-c", step, cwd=ROOT)
    assert environment.call("python", "-c", "import torch", cwd=ROOT).returncode != 0
    assert steps("USER") == ["nobody"]
    (health,) = re.findall(r"HEALTHCHECK .*CMD (\[.*\])$", DOCKERFILE, re.MULTILINE)
    serve = json.loads(re.findall(r"^CMD (\[.*\])$", DOCKERFILE, re.MULTILINE)[0])
    words = [word.replace("/model.onnx", str(model)) for word in serve]

    def is_healthy() -> bool:
        return environment.call(*json.loads(health), cwd=ROOT).returncode == 0

    with subprocess.Popen(words, cwd=tmp_path, env=environment.variables) as running:
        try:
            for _attempt in range(100):
                if is_healthy():
                    break
                time.sleep(0.1)
            assert is_healthy(), shlex.join(words)
            body = png(draw(1, "test").images[0])
            request = urllib.request.Request(
                "http://127.0.0.1:8000/predict", body, {"Content-Type": "image/png"}
            )
            with urllib.request.urlopen(request) as answer:
                assert len(json.load(answer)["predictions"]) == 1
        finally:
            running.terminate()
        assert running.wait(10) == 143
