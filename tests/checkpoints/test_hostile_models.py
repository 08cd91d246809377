"""Tampered model files: none runs code, none is taken for what it is not. The proof has 20,000."""

import pickle
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from fmnist_cli.checkpoints.pickle_scan import MAX_OPERATIONS, scan
from fmnist_cli.errors import CheckpointError
from tests.checkpoints import hostile_models as hostile
from tests.checkpoints.hostile_models import AS_WRITTEN, REFUSED, UNCHANGED, Claim, Storage

ROUNDS = 1
"""Of every mutation, for each of three files."""
MAX_BYTES = 100_000_000


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> list[hostile.Case]:
    return hostile.cases(tmp_path_factory.mktemp("models"))


def test_tampered_files_are_refused_or_are_what_they_were(
    cases: list[hostile.Case], tmp_path: Path
) -> None:
    outcomes: Counter[str] = Counter()
    for number, case in enumerate(cases):
        for mutation in (*hostile.DAMAGING, *hostile.FORGING):
            random = Random(f"{number} {mutation.__name__}")
            for _ in range(ROUNDS):
                found = hostile.outcome(case, mutation, random, tmp_path / "tampered.pt")
                assert found.extra_bytes < MAX_BYTES, mutation.__name__
                outcomes[found.name] += 1
    assert set(outcomes) == {REFUSED, UNCHANGED, AS_WRITTEN}
    assert outcomes[REFUSED] > outcomes.total() / 2


def test_every_forged_pickle_is_refused(cases: list[hostile.Case], tmp_path: Path) -> None:
    """Each call, claim and bomb of the table once, in place of a model's whole content."""
    case, state, path = cases[0], hostile.claimed_state(), tmp_path / "forged.pt"
    name, first = next(iter(state.items()))

    def opened(pickled: bytes) -> hostile.Outcome:
        content = hostile.zipped({**case.members, hostile.PICKLE: pickled})
        return hostile.outcome(case, lambda *_: content, Random(0), path)

    def whole(evil: object) -> bytes:
        return hostile.dumps({"state_dict": {**state, name: evil}})

    assert opened(whole(first)).name == UNCHANGED
    forged = [*hostile.calls(case.canary), *hostile.claims(first)]
    for number, content in enumerate([*map(whole, forged), *hostile.bombs()]):
        found = opened(content)
        assert found.name == REFUSED, number
        assert found.extra_bytes < MAX_BYTES, number
    for length in (143, 145, 2**62):  # compared before torch sees them
        assert opened(whole(replace(first, storage=Storage("0", length)))).name == REFUSED
        with pytest.raises(CheckpointError, match="other sizes than stated"):
            case.open(path)


def test_the_forged_pickles_would_run(tmp_path: Path) -> None:
    """Each call leaves its mark if a pickle is read without care, so the canary can die."""
    for number in range(len(hostile.calls(tmp_path))):
        canary = tmp_path / f"canary-{number}"
        call = hostile.calls(canary)[number]
        with suppress(Exception):  # what it returns fits nowhere, but it ran
            pickle.loads(hostile.dumps(call))
        assert canary.exists(), call.function


def test_the_scan_knows_what_a_pickle_claims_to_hold() -> None:
    weights = {"a": Claim(Storage("0", 6), (2, 3)), "b": [Claim(Storage("x", 1), ())]}
    assert scan(hostile.dumps(weights), "m.pt") == {"0": 24, "x": 4}
    weights["b"] = [Claim(Storage("0", 5), ())]
    with pytest.raises(CheckpointError, match="no valid way"):
        scan(hostile.dumps(weights), "m.pt")


def test_the_number_of_operations_is_limited() -> None:
    content = b"\x80\x02}" + b"q\x00" * (MAX_OPERATIONS - 3)
    assert scan(content + b".", "m.pt") == {}
    with pytest.raises(CheckpointError, match="too long"):
        scan(content + b"q\x00.", "m.pt")
