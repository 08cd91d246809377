from pathlib import Path

import pytest

from benchmarks.peers.__main__ import CONTESTANTS
from benchmarks.peers.contestant import PROGRAMS, REQUIREMENTS, SHOWN, count_code, last_number
from benchmarks.peers.yolo import validated


def test_code_is_counted_without_what_does_not_run() -> None:
    assert (
        count_code('"""Two\n\nlines."""\n# a remark\nimport os\n\n    # inside\nprint(os)\n') == 2
    )


@pytest.mark.parametrize("name", CONTESTANTS)
def test_contestants_can_be_run(name: str) -> None:
    contestant = CONTESTANTS[name]
    words = [word for line in contestant.typed(SHOWN) for word in line]
    assert not [word for word in words if "{" in word]
    if contestant.requirements is not None:
        pinned = (REQUIREMENTS / contestant.requirements).read_text(encoding="utf-8")
        lines = [line for line in pinned.splitlines() if not line.startswith("#")]
        assert all("==" in line for line in lines)
        assert any(line.startswith(f"{contestant.distribution}==") for line in lines)
    if contestant.program is not None:
        assert contestant.program.parent == PROGRAMS
        assert str(contestant.program) in words


def test_names_are_not_taken_twice() -> None:
    assert all(contestant.name == name for name, contestant in CONTESTANTS.items())


def test_accuracy_of_yolo_is_that_of_its_last_epoch(tmp_path: Path) -> None:
    run = tmp_path / "runs" / "train"
    run.mkdir(parents=True)
    (run / "results.csv").write_text(
        "epoch,time,train/loss,metrics/accuracy_top1\n1,21.6,1.8,0.5\n2,41.0,1.2,0.75\n"
    )
    assert validated(tmp_path, "") == 0.75


def test_accuracy_of_a_program_is_its_last_word(tmp_path: Path) -> None:
    assert last_number(tmp_path, "epoch 1 0.3\n0.8125\n") == 0.8125
