"""Tampered model files: none runs code, none is taken for what it is not. The proof has 20,000."""

import pickle
from collections import Counter
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest

from tests.checkpoints import hostile_pickles as pickles
from tests.checkpoints.opening import AS_WRITTEN, REFUSED, UNCHANGED, cases, judge
from tests.memory import measured

ROUNDS = 3
"""Of every mutation, for each of four files."""
MOST_BYTES = 100_000_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


def test_tampered_files_are_refused_or_are_what_they_were(folder: Path) -> None:
    outcomes: Counter[str] = Counter()
    for number, case in enumerate(cases(folder)):
        for mutation in case.mutations:
            random = Random(f"{number} {mutation.__name__}")
            for _ in range(ROUNDS):
                judged = judge(case, mutation, random, folder / "tampered.pt")
                assert judged.extra_bytes < MOST_BYTES, mutation.__name__
                outcomes[judged.outcome] += 1
    assert set(outcomes) == {REFUSED, UNCHANGED, AS_WRITTEN}
    assert outcomes[REFUSED] > outcomes.total() / 2


def test_the_forged_pickles_would_run(tmp_path: Path) -> None:
    """Each call leaves its mark where a pickle is read without care, so the canary can die."""
    for number in range(len(pickles.calls(tmp_path))):
        canary = tmp_path / f"canary-{number}"
        call = pickles.calls(canary)[number]
        with suppress(Exception):  # what it returns fits nowhere, but it ran
            pickle.loads(pickles.dumps(call))
        assert canary.exists(), call.name


def test_a_bomb_would_take_memory() -> None:
    with measured() as peak:
        content = pickle.loads(pickles.PROTO + b"](" + b"}" * 4_000_000 + b"e.")
    assert len(content) == 4_000_000
    assert peak.extra_bytes > MOST_BYTES
