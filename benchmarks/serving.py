"""`fmnist serve` against the FastAPI application that is usually written around a torch model.

    python -m benchmarks.serving [--seconds 10] [--connections 32] [--model FILE.pt]

The packaged network or FILE.pt, images of the sample as PNG files, 32 connections, both on all
cores of this machine, one after the other in one run; `wrk` (apt-get install wrk) sends on the same
cores. The plain application, too, has uvicorn's fast event loop and parser.
"""

import io
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

from PIL import Image
from urllib3 import encode_multipart_formdata

from benchmarks.program import PROGRAM, scratch, timed
from benchmarks.report import Row, run
from fmnist_cli.data import sample
from fmnist_cli.pretrained import FILE

MIN_RATE_RATIO: Final = 4.0
BOUNDARY: Final = "wrk-boundary"
CONTENT_TYPES: Final = {
    "form": f"multipart/form-data; boundary={BOUNDARY}",
    "raw": "image/png",
}

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
for image = 1, 500 do
  local file = io.open(os.getenv("BODIES") .. "/" .. image, "rb")
  bodies[image] = file:read("*a")
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
    'RESULT {"requests": %d, "rate": %f, "p50": %f, "p99": %f, "errors": %d}\\n',
    summary.requests, summary.requests / summary.duration * 1e6,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
"""


def measure(seconds: int = 10, connections: int = 32, model: Path = FILE) -> Iterator[Row]:
    """The plain application, then `fmnist serve` with the same requests and with raw bodies."""
    if shutil.which("wrk") is None:
        raise SystemExit("this measurement needs wrk: apt-get install wrk")
    ours = (PROGRAM, "serve", model, "--port", "0")
    plain = (sys.executable, "-m", "uvicorn", "plain:app", "--port", "0", "--no-access-log")
    with scratch() as folder:
        (folder / "plain.py").write_text(PLAIN_APP, encoding="utf-8")
        (folder / "load.lua").write_text(WRK_SCRIPT, encoding="utf-8")
        _write_bodies(folder)
        send = partial(_send, folder, connections=connections)
        with _serving(folder, model, *plain) as url:
            send(url, "form", 2)
            baseline = send(url, "form", seconds)
        with _serving(folder, model, *ours) as url:
            send(url, "form", 2)
            for kind, name in (("form", "the same form"), ("raw", "a raw body")):
                found = send(url, kind, seconds)
                for what, key, unit, statistic, bars in (
                    ("", "rate", "requests/s", "mean", {"ratio ≥": MIN_RATE_RATIO}),
                    (", latency", "p50", "ms", "median", {}),
                    (", latency", "p99", "ms", "99th percentile", {}),
                ):
                    yield Row(
                        f"{name} per request{what}",
                        found[key],
                        unit,
                        statistic,
                        n=found["requests"],
                        baseline=("FastAPI and torch, a form with a file", baseline[key]),
                        bars=bars,
                    )


def _write_bodies(folder: Path) -> None:
    """Write each image of the sample's test split as a request's body, as a form and raw."""
    for kind in CONTENT_TYPES:
        (folder / kind).mkdir()
    for number, pixels in enumerate(sample.read("test").images, 1):
        stream = io.BytesIO()
        Image.fromarray(pixels).save(stream, "PNG")
        file = ("garment.png", stream.getvalue(), "image/png")
        (folder / "raw" / str(number)).write_bytes(stream.getvalue())
        form, _ = encode_multipart_formdata({"file": file}, BOUNDARY)
        (folder / "form" / str(number)).write_bytes(form)


def _send(folder: Path, url: str, kind: str, seconds: int, connections: int) -> dict[str, Any]:
    """Send requests by `wrk` for some time: rate per second, latencies in milliseconds."""
    words = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout=30s"]
    env = {**os.environ, "CONTENT_TYPE": CONTENT_TYPES[kind], "BODIES": kind}
    stdout = timed(*words, "-s", "load.lua", f"{url}/predict", cwd=folder, env=env).stdout
    line = re.search(r"RESULT (.*)", stdout)
    assert line is not None, stdout
    found: dict[str, Any] = json.loads(line[1])
    assert found["errors"] == 0, stdout
    return found


@contextmanager
def _serving(folder: Path, model: Path, *command: str | Path) -> Iterator[str]:
    """Start a server that reports its address, which this yields, on stderr when it is ready."""
    env = {**os.environ, "MODEL": str(model.absolute())}
    with subprocess.Popen(
        command, cwd=folder, env=env, stderr=subprocess.PIPE, text=True
    ) as running:
        assert running.stderr is not None
        for line in running.stderr:
            if found := re.search(r"http://\S+", line):
                try:
                    yield found[0]
                finally:
                    running.terminate()
                return
        raise SystemExit(f"{command[0]} has ended")


if __name__ == "__main__":
    run(measure)
