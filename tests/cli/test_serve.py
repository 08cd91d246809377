"""`fmnist serve` as a process: what it answers, and how it begins and ends."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.cli.conftest import Program, clean_environment
from tests.cli.test_own_classes import write_pictures
from tests.platforms import POSIX
from tests.sample_images import draw, png
from tests.serve.serving import Server, serving
from tests.written_models import write_checkpoint, write_onnx

NETWORKS = Path(__file__).parents[1] / "models" / "networks"
GARMENTS = Path(__file__).parents[1] / "photos" / "garments"
PICTURE = png(draw(1, "test").images[0])
MISSING = """
import importlib.util
find = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name == "fastapi" else find(name, *rest)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model as both files."""
    folder = tmp_path_factory.mktemp("serve")
    write_onnx(folder / "model.onnx")
    write_checkpoint(folder / "model.pt")
    return folder


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Server]:
    with serving(folder / "model.onnx") as running:
        yield running


def test_the_answers_are_those_of_predict(
    server: Server, fmnist: Program, folder: Path, tmp_path: Path
) -> None:
    for number, image in enumerate(draw(40, "test").images):
        (tmp_path / f"{number:02}.png").write_bytes(png(image))
    paths = [*sorted(tmp_path.iterdir()), *sorted(GARMENTS.glob("*.jpg"))]
    done = fmnist("predict", folder / "model.onnx", *paths, "--top-k", "10")
    expected = [json.loads(line) for line in done.stdout.splitlines()]
    files = [(str(path), path.read_bytes()) for path in paths]
    found = [
        *server.send_form(files[:45], "?top_k=10").json()["predictions"],
        *server.send_form(files[45:], "?top_k=10").json()["predictions"],
    ]
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        for key in ("input", "label", "class", "photo"):
            assert one[key] == other[key]
        assert one["probability"] == pytest.approx(other["probability"], abs=2e-6)
        ours, theirs = ([each["probability"] for each in side["top"]] for side in (one, other))
        assert ours == pytest.approx(theirs, abs=2e-6)


def test_a_pt_file_is_exported_and_leaves_nothing_behind(
    server: Server, folder: Path, tmp_path: Path
) -> None:
    with serving(folder / "model.pt", env={"TMPDIR": str(tmp_path)}) as running:
        ours = running.ask("/predict", PICTURE).json()["predictions"][0]
        assert running.ask("/model").json()["model"] == "model.pt"
        assert "torch" not in Path(f"/proc/{running.process.pid}/maps").read_text()
        assert not list(tmp_path.iterdir())
    exported = server.ask("/predict", PICTURE).json()["predictions"][0]
    assert ours["label"] == exported["label"]
    assert ours["probability"] == pytest.approx(exported["probability"], abs=2e-4)
    assert sorted(path.name for path in folder.iterdir()) == ["model.onnx", "model.pt"]


def test_a_file_that_is_no_model(fmnist: Program, tmp_path: Path) -> None:
    (tmp_path / "m.pt").write_bytes(b"PK\x03\x04 no model")
    done = fmnist("serve", tmp_path / "m.pt", "--port", "0", code=65)
    assert done.stderr.count("error:") == 1


@pytest.mark.parametrize("host", ["127.0.0.1", "no.such.host.invalid", "203.0.113.1"])
def test_an_address_that_can_not_be_had(fmnist: Program, folder: Path, host: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = fmnist("serve", folder / "model.onnx", "--host", host, "--port", port, code=69)
    assert f"can't listen on {host}, port {port}" in done.stderr
    assert ("choose another port" in done.stderr) == (host == "127.0.0.1")
    assert ("--host takes an address of this machine" in done.stderr) == (host != "127.0.0.1")
    assert len(done.stderr.splitlines()) == 2


def test_without_the_extra(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(MISSING)
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-m", "fmnist_cli", "serve", "--port", "0"],
        env=clean_environment({"PYTHONPATH": path}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (69, "")
    assert "pip install 'fmnist-cli[serve]'" in done.stderr


@POSIX
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)], ids=["SIGTERM", "SIGINT"]
)
def test_a_signal_ends_it_after_the_request_in_flight(
    folder: Path, number: signal.Signals, code: int
) -> None:
    with serving(folder / "model.onnx") as running:
        connection = HTTPConnection("127.0.0.1", running.port, timeout=20)
        connection.putrequest("POST", "/predict")
        connection.putheader("Content-Length", str(len(PICTURE)))
        connection.putheader("Expect", "100-continue")  # tells when the request has begun
        connection.endheaders()
        assert connection.sock.recv(100).startswith(b"HTTP/1.1 100 ")
        connection.send(PICTURE[:100])
        running.process.send_signal(number)
        asked_at = time.monotonic()
        time.sleep(2.5)  # longer than other commands may take to stop
        connection.send(PICTURE[100:])
        response = connection.getresponse()
        assert response.status == 200
        assert json.loads(response.read())["predictions"][0]["input"] == "-"
        assert running.process.wait(10) == code
        assert time.monotonic() - asked_at < 10
        assert running.process.communicate() == ("", "")


@POSIX
@pytest.mark.proof
def test_a_signal_ends_it_within_ten_seconds_though_a_request_hangs(folder: Path) -> None:
    with (
        serving(folder / "model.onnx") as running,
        socket.create_connection(("127.0.0.1", running.port)) as hanging,
    ):
        hanging.sendall(b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc")
        time.sleep(0.3)
        running.process.terminate()
        asked_at = time.monotonic()
        assert running.process.wait(15) == 143
        assert time.monotonic() - asked_at < 10


def test_classes_and_a_network_of_ones_own(fmnist: Program, tmp_path: Path) -> None:
    write_pictures(tmp_path / "pets", ["cat", "cow", "dog"], each=8)
    network = ("--model", str(NETWORKS / "vit.py:ViT"))
    fmnist(
        *("train", "-q", "--data", "pets", *network, "--epochs", "1", "-b", "8"),
        *("--device", "cpu", "--threads", "1"),
    )
    with serving(tmp_path / "model.pt", *network) as running:
        answer = running.ask("/predict?top_k=5", PICTURE).json()["predictions"][0]
        assert {each["class"] for each in answer["top"]} == {"cat", "cow", "dog"}
        assert running.ask("/model").json()["classes"] == ["cat", "cow", "dog"]
