"""No stranger's model file gets in: 20,000 tampered ones, some of them through the program."""

import resource
from collections import Counter
from pathlib import Path
from random import Random

import pytest
import torch

from tests.cli.conftest import Program, fmnist
from tests.engine.opening import REFUSED, cases, judge
from tests.memory import CAN_MEASURE
from tests.proof.conftest import Record

__all__ = ["fmnist"]
pytestmark = pytest.mark.proof

FILES = 20_000
FILES_THROUGH_THE_PROGRAM = 51
MOST_BYTES = 100_000_000


def test_twenty_thousand_tampered_models(tmp_path: Path, record: Record) -> None:
    torch.set_num_threads(1)
    found = cases(tmp_path)
    rounds = -(-FILES // sum(len(case.mutations) for case in found))
    outcomes: Counter[str] = Counter()
    most_bytes = 0
    for number, case in enumerate(found):
        for kind, mutation in enumerate(case.mutations):
            random = Random(f"{number} {kind} {mutation.__name__}")
            for _ in range(rounds):
                judged = judge(case, mutation, random, tmp_path / "tampered.pt")
                outcomes[judged.outcome] += 1
                most_bytes = max(most_bytes, judged.extra_bytes)
    assert outcomes.total() >= FILES
    assert outcomes[REFUSED] > FILES / 2
    assert most_bytes < MOST_BYTES
    assert not CAN_MEASURE or most_bytes > 0
    told = ", ".join(f"{count:,} {outcome}" for outcome, count in outcomes.most_common())
    record(
        "tampered model files",
        outcomes.total(),
        f"{told}; 0 other errors, 0 ran code, {most_bytes / 1e6:.0f} MB at most",
    )


def test_tampered_models_through_the_program(
    fmnist: Program, tmp_path: Path, record: Record
) -> None:
    codes: Counter[int] = Counter()
    model, state, bare, _ = cases(tmp_path)
    path = tmp_path / "tampered.pt"
    # What any model takes, with room for how far one run differs from the next.
    path.write_bytes(model.model.content)
    assert fmnist("info", path).returncode == 0
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    for number in range(FILES_THROUGH_THE_PROGRAM):
        case = (model, state, bare)[number % 3]
        random = Random(f"program {number}")
        path.write_bytes(random.choice(case.mutations)(random, case.model))
        named = () if case.network is None else ("--model", case.network)
        command = ("predict", path, path, *named) if named else ("info", path)
        done = fmnist(*command)
        assert done.returncode in (0, 65), done.stderr
        assert "Traceback" not in done.stderr
        assert len(done.stderr.splitlines()) <= 3
        assert not case.model.canary.exists()
        codes[done.returncode] += 1
    extra_kib = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss - before
    assert extra_kib * 1024 < MOST_BYTES
    told = ", ".join(f"{count} exit {code}" for code, count in sorted(codes.items()))
    record("tampered models through the program", codes.total(), f"{told}; 0 tracebacks")
