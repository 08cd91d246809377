"""`fmnist serve` against the FastAPI application that is usually written around a torch model.

    python -m benchmarks.serving [--seconds 10] [--connections 32] [--minutes 0] [--model FILE.pt]

The packaged network or another one, images of the sample as PNG files, 32 connections, both on all
cores of this machine, one after the other in one run; `wrk` (apt-get install wrk) sends on the same
cores. The plain application, too, has uvicorn's fast event loop and parser.
`--minutes N` serves for that long and reports the server's memory at the start and at the end.
"""

import io
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from PIL import Image

from benchmarks.program import PROGRAM
from benchmarks.report import Row, run
from fmnist_cli.data import sample
from fmnist_cli.pretrained import FILE

MIN_RATE_RATIO: Final = 4.0
IMAGES: Final = 500
_BOUNDARY: Final = "wrk-boundary"

PLAIN_APP: Final = """
import io
import os
from pathlib import Path

import torch
from fastapi import FastAPI, UploadFile
from PIL import Image
from torchvision.transforms.functional import to_tensor

from fmnist_cli.checkpoints.weights import open_model

loaded = open_model(Path(os.environ["MODEL"]))
normalization = loaded.metadata.normalization
model, mean, std = loaded.model.eval(), normalization.mean, normalization.std
app = FastAPI()


@app.post("/predict")
async def predict(file: UploadFile):
    image = Image.open(io.BytesIO(await file.read())).convert("L").resize((28, 28))
    with torch.no_grad():
        probabilities = model((to_tensor(image)[None] - mean) / std).softmax(dim=1)[0]
    label = int(probabilities.argmax())
    return {"class": loaded.metadata.classes[label], "probability": float(probabilities[label])}
"""

WRK_SCRIPT: Final = """
local bodies = {}
local number = 0
for line in io.lines(os.getenv("BODIES")) do
  local file = io.open(line, "rb")
  bodies[#bodies + 1] = file:read("*a")
  file:close()
end
wrk.method = "POST"
wrk.headers["Content-Type"] = os.getenv("CONTENT_TYPE")
request = function()
  number = number % #bodies + 1
  return wrk.format(nil, nil, nil, bodies[number])
end
done = function(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    'RESULT {"requests": %d, "microseconds": %d, "p50": %d, "p99": %d, "errors": %d}\\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
"""


def measure(
    *, seconds: int = 10, connections: int = 32, minutes: int = 0, model: Path | None = None
) -> Iterator[Row]:
    """The plain application, then `fmnist serve` with the same requests and with raw bodies."""
    model = model or FILE
    if shutil.which("wrk") is None:
        raise SystemExit("this measurement needs wrk: apt-get install wrk")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        load = _Load(folder, connections)
        if minutes:
            with _fmnist_serve(model) as (url, pid):
                load.run(url, 5, is_form=True)
                before = _megabytes(pid)
                found = load.run(url, 60 * minutes, is_form=True)
                yield Row(
                    "memory at the end",
                    _megabytes(pid),
                    "MB",
                    baseline=before,
                    against="at the start",
                )
                yield Row(
                    "requests", _rate(found), "requests/s", n=found["requests"], statistic="mean"
                )
            return
        (folder / "plain.py").write_text(PLAIN_APP, encoding="utf-8")
        with _plain_app(folder, model) as (url, _pid):
            load.run(url, 2, is_form=True)
            plain = load.run(url, seconds, is_form=True)
        with _fmnist_serve(model) as (url, _pid):
            load.run(url, 2, is_form=True)
            for is_form, name in ((True, "the same form"), (False, "a raw body")):
                ours = load.run(url, seconds, is_form=is_form)
                against = "FastAPI and torch, a form with a file"
                yield Row(
                    f"{name} per request",
                    _rate(ours),
                    "requests/s",
                    n=ours["requests"],
                    statistic="mean",
                    baseline=_rate(plain),
                    against=against,
                    ratio_at_least=MIN_RATE_RATIO,
                )
                for name_, key in (("median", "p50"), ("99th percentile", "p99")):
                    yield Row(
                        f"{name} per request, latency",
                        ours[key] / 1e3,
                        "ms",
                        n=ours["requests"],
                        statistic=name_,
                        baseline=plain[key] / 1e3,
                        against=against,
                    )


class _Load:
    """Requests from `wrk`, in a process of its own."""

    def __init__(self, folder: Path, connections: int) -> None:
        self._folder, self._connections = folder, connections
        (folder / "load.lua").write_text(WRK_SCRIPT, encoding="utf-8")
        for is_form in (True, False):
            paths = []
            for number, pixels in enumerate(sample.read("test").images[:IMAGES]):
                stream = io.BytesIO()
                Image.fromarray(pixels).save(stream, "PNG")
                paths.append(folder / f"{number}-{is_form}")
                paths[-1].write_bytes(_form(stream.getvalue()) if is_form else stream.getvalue())
            (folder / f"bodies-{is_form}").write_text("\n".join(map(str, paths)))

    def run(self, url: str, seconds: int, *, is_form: bool) -> dict[str, Any]:
        """Requests for some time; latencies in microseconds."""
        kind = f"multipart/form-data; boundary={_BOUNDARY}" if is_form else "image/png"
        done = subprocess.run(
            [
                "wrk",
                f"-c{self._connections}",
                "-t1",
                "--timeout=30s",
                f"-d{seconds}s",
                "-s",
                "load.lua",
                url,
            ],
            cwd=self._folder,
            env={**os.environ, "CONTENT_TYPE": kind, "BODIES": f"bodies-{is_form}"},
            capture_output=True,
            text=True,
            check=True,
        )
        line = re.search(r"RESULT (.*)", done.stdout)
        assert line is not None, done.stdout
        found: dict[str, Any] = json.loads(line[1])
        assert found["errors"] == 0, done.stdout
        return found


def _form(content: bytes) -> bytes:
    head = (
        f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="garment.png"\r\n'
    )
    return (
        head.encode()
        + b"Content-Type: image/png\r\n\r\n"
        + content
        + f"\r\n--{_BOUNDARY}--\r\n".encode()
    )


@contextmanager
def _plain_app(folder: Path, model: Path) -> Iterator[tuple[str, int]]:
    command = [sys.executable, "-m", "uvicorn", "plain:app", "--port", "8765", "--no-access-log"]
    env = {**os.environ, "MODEL": str(model.absolute())}
    with subprocess.Popen(command, cwd=folder, env=env, stderr=subprocess.DEVNULL) as running:
        yield from _until_done(running, "http://127.0.0.1:8765")


@contextmanager
def _fmnist_serve(model: Path) -> Iterator[tuple[str, int]]:
    command = [str(PROGRAM), "serve", str(model), "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as running:
        assert running.stderr is not None
        for line in running.stderr:
            if found := re.search(r"http://\S+", line):
                yield from _until_done(running, found[0])
                return
        raise SystemExit("fmnist serve has ended")


def _until_done(running: "subprocess.Popen[Any]", url: str) -> Iterator[tuple[str, int]]:
    try:
        for _attempt in range(300):
            try:
                urllib.request.urlopen(url + "/openapi.json").close()
                break
            except OSError:
                time.sleep(0.1)
        yield url + "/predict", running.pid
    finally:
        running.terminate()


def _rate(found: dict[str, Any]) -> float:
    return float(found["requests"] / (found["microseconds"] / 1e6))


def _megabytes(pid: int) -> float:
    """Resident memory of a process (Linux)."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    found = re.search(r"VmRSS:\s+(\d+)", status)
    assert found is not None
    return int(found[1]) * 1024 / 1e6


if __name__ == "__main__":
    run(measure)
