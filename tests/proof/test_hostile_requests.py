"""Hostile requests: the server answers the good ones beside them, and its memory stays small."""

import time
from pathlib import Path
from random import Random

import pytest

from tests.proof.conftest import Record
from tests.serve import hostile
from tests.serve.attack import attack
from tests.serve.serving import serving
from tests.written_models import write_onnx

MAX_BYTES = 300_000_000
MAX_GOOD_SECONDS = 1.0


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("small network", 150),
        pytest.param("small network", 2_000, marks=pytest.mark.proof),
        pytest.param("pretrained", 2_000, marks=pytest.mark.proof),
    ],
)
def test_it_goes_on_serving(name: str, count: int, tmp_path: Path, record: Record) -> None:
    model = name if name == "pretrained" else write_onnx(tmp_path / "small.onnx")
    random = Random("proof of hostile requests")
    with serving(model) as server:
        started_at = time.monotonic()
        requests = [hostile.draw(random) for _ in range(count)]
        outcome = attack(server, requests, clients=16)
        seconds = time.monotonic() - started_at
        assert server.process.poll() is None
        peak = server.memory_bytes()
        server.process.terminate()
        assert server.process.wait(10) == 143
        assert server.process.stderr is not None
        assert server.process.stderr.read() == ""
    assert len(outcome.kinds) == len(hostile.KINDS)
    refused = sum(count for status, count in outcome.statuses.items() if status >= 400)
    assert not {status for status in outcome.statuses if status >= 500 and status != 503}
    record(
        f"hostile requests ({name})",
        count,
        f"{refused:,} refused, none with 500; {outcome.good:,} good ones answered, the slowest in "
        f"{outcome.slowest_good_seconds:.2f} s; at most {peak / 1e6:.0f} MB; {seconds:.0f} s",
    )
    assert outcome.slowest_good_seconds < MAX_GOOD_SECONDS
    assert peak < MAX_BYTES
