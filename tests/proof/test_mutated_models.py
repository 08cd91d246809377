"""No stranger's model file gets in: 20,000 tampered ones, some of them through the program."""

import time
from collections import Counter
from functools import partial
from pathlib import Path
from random import Random

import pytest
import torch

from benchmarks.program import metered
from fmnist_cli.checkpoints.weights import open_model
from fmnist_cli.errors import CheckpointError
from tests.checkpoints.hostile_models import (
    DAMAGING,
    FORGING,
    NETWORK,
    OTHER,
    REFUSED,
    cases,
    outcome,
)
from tests.cli.conftest import PROGRAM, clean_environment
from tests.damage import DAMAGE
from tests.memory import CAN_MEASURE, measured
from tests.proof.conftest import Record
from tests.written_models import network

pytestmark = pytest.mark.proof

FILES = 20_000
FILES_THROUGH_THE_PROGRAM = 51
MAX_BYTES = 100_000_000
MUTATIONS = (*DAMAGING, *FORGING)


@pytest.mark.timeout(3600)
def test_twenty_thousand_tampered_models(tmp_path: Path, record: Record) -> None:
    torch.set_num_threads(1)
    found = cases(tmp_path)
    rounds = -(-FILES // (len(MUTATIONS) * len(found)))
    outcomes: Counter[str] = Counter()
    most_bytes = 0
    for number, case in enumerate(found):
        for kind, mutation in enumerate(MUTATIONS):
            random = Random(f"{number} {kind} {mutation.__name__}")
            for _ in range(rounds):
                result = outcome(case, mutation, random, tmp_path / "tampered.pt")
                outcomes[result.name] += 1
                most_bytes = max(most_bytes, result.extra_bytes)
    assert outcomes.total() >= FILES
    assert outcomes[REFUSED] > FILES / 2
    assert most_bytes < MAX_BYTES
    assert not CAN_MEASURE or most_bytes > 0
    summary = ", ".join(f"{count:,} {name}" for name, count in outcomes.most_common())
    record(
        "tampered model files",
        outcomes.total(),
        f"{summary}; 0 other errors, 0 ran code, {most_bytes / 1e6:.0f} MB at most",
    )


def test_tampered_models_through_the_program(tmp_path: Path, record: Record) -> None:
    codes: Counter[int] = Counter()
    path = tmp_path / "tampered.pt"
    found = cases(tmp_path)
    run = partial(metered, *PROGRAM, env=clean_environment())
    usual = run("info", "pretrained")
    assert usual.code == 0, usual.stderr
    most_megabytes = 0.0
    for number in range(FILES_THROUGH_THE_PROGRAM):
        case = found[number % len(found)]
        random = Random(f"program {number}")
        path.write_bytes(random.choice(MUTATIONS)(random, case))
        named = () if case.network is None else ("--model", case.network)
        done = run(*(("predict", path, path, *named) if named else ("info", path)))
        assert done.code in (0, 65), done.stderr
        assert "Traceback" not in done.stderr
        assert len(done.stderr.splitlines()) <= 3
        assert not case.canary.exists()
        codes[done.code] += 1
        most_megabytes = max(most_megabytes, done.megabytes)
    extra_bytes = 1e6 * (most_megabytes - usual.megabytes)
    assert extra_bytes < MAX_BYTES
    summary = ", ".join(f"{count} exit {code}" for code, count in sorted(codes.items()))
    record(
        "tampered models through the program",
        codes.total(),
        f"{summary}; 0 tracebacks, {extra_bytes / 1e6:.0f} MB more than a sound one at most",
    )


def test_five_thousand_tampered_safetensors(tmp_path: Path, record: Record) -> None:
    """They carry no checksums: what loads may hold other values, but fits the network."""
    save = pytest.importorskip("safetensors.torch").save
    contents = [save(dict(network(name).state_dict())) for name in (NETWORK, OTHER)]
    path = tmp_path / "tampered.safetensors"
    outcomes: Counter[str] = Counter()
    most_bytes, most_seconds = 0, 0.0
    for number in range(5_000):
        random = Random(number)
        damaged = random.choice(DAMAGE)(random, contents[0], contents[1])
        path.write_bytes(damaged)
        started_at = time.perf_counter()
        outcome_name = "loaded"
        with measured() as peak:
            try:
                open_model(path, NETWORK)
            except CheckpointError:
                outcome_name = REFUSED
        outcomes[outcome_name] += 1
        most_seconds = max(most_seconds, time.perf_counter() - started_at)
        most_bytes = max(most_bytes, peak.extra_bytes)
    assert outcomes[REFUSED] > 1_000
    assert most_bytes < MAX_BYTES
    assert most_seconds < 1
    summary = ", ".join(f"{count:,} {name}" for name, count in outcomes.most_common())
    record(
        "tampered safetensors", outcomes.total(), f"{summary}; {most_bytes / 1e6:.0f} MB at most"
    )
