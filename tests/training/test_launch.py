"""Of several processes that ended, the one reported caused the others to end."""

import signal
import sys

import pytest
from torch.distributed.elastic.multiprocessing.errors import ProcessFailure

from fmnist_cli.errors import Unavailable
from fmnist_cli.training import launch


@pytest.mark.parametrize(
    ("ended", "cause"),
    [
        ([(5, 2), (6, 143)], 0),
        ([(6, 143), (5, 2)], 1),
        ([(5, 70), (6, -9)], 1),  # killed, and seen only after the one that lost its connection
        ([(6, -signal.SIGTERM), (5, 2)], 1),  # ended by the launcher before it could answer
        ([(7, -11), (6, -9)], 1),
    ],
)
def test_the_cause_is_the_first_or_one_that_was_killed(
    ended: list[tuple[int, int]], cause: int
) -> None:
    failures = {}
    for rank, (at, exitcode) in enumerate(ended):
        failure = ProcessFailure(local_rank=rank, pid=1, exitcode=exitcode, error_file="none")
        failure.timestamp = at
        failures[rank] = failure
    assert launch._cause(failures) == (cause, failures[cause])


def test_windows_is_unsupported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(Unavailable, match="leave --nproc out"):
        launch.launch(2, [])
