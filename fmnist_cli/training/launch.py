"""Several processes on this machine, started and watched by torch's elastic launcher."""

import logging
import sys
import uuid
from collections.abc import Mapping, Sequence
from signal import SIGTERM

from torch.distributed.elastic.multiprocessing.api import SignalException
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError, ProcessFailure
from torch.distributed.launcher.api import LaunchConfig, elastic_launch

from fmnist_cli.errors import CheckFailed, FmnistError, Interrupted, Unavailable


class ProcessFailedError(FmnistError):
    """A process ended with an error that it has already reported, and with this exit code."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code  # type: ignore[misc]


def launch(processes: int, arguments: Sequence[str]) -> None:
    """Run this Python with `arguments` in several processes, as torchrun would, and wait.

    If one fails, the others are ended. Raises ProcessFailedError with its exit code, CheckFailed if
    a signal killed it, Interrupted if a signal asked this process to end, Unavailable on Windows.
    """
    if sys.platform == "win32":  # torch's builds lack the store that the processes meet at
        raise Unavailable("torch can't start several processes on Windows; leave --nproc out")
    config = LaunchConfig(
        min_nodes=1,
        max_nodes=1,
        nproc_per_node=processes,
        run_id=uuid.uuid4().hex,
        rdzv_backend="c10d",
        rdzv_endpoint="localhost:0",
        max_restarts=0,
        monitor_interval=0.1,
    )
    # The errors below replace the launcher's own log.
    for name in ("torch.distributed.elastic", "torch.distributed.elastic.agent.server.api"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        elastic_launch(config, sys.executable)(*arguments)
    except SignalException as error:
        raise Interrupted(f"the {processes} training processes have ended", error.sigval) from None
    except ChildFailedError as error:
        rank, failure = _cause(error.failures)
        if failure.exitcode < 0:
            raise CheckFailed(
                f"training process {rank} of {processes} was killed by signal {-failure.exitcode}; "
                "the others were ended; resume from the last saved state with --resume"
            ) from None
        raise ProcessFailedError(
            f"training process {rank} of {processes} failed; the others were ended",
            failure.exitcode,
        ) from None


def _cause(failures: Mapping[int, ProcessFailure]) -> tuple[int, ProcessFailure]:
    """The failure that caused the others, with the rank of its process.

    That is one that was killed, else the first: the others lose their connection to a killed one,
    and may be seen to end before it. With SIGTERM the launcher itself ends the others.
    """
    by_time = sorted(failures.items(), key=lambda failed: failed[1].timestamp)
    killed = (each for each in by_time if each[1].exitcode < 0 and each[1].exitcode != -SIGTERM)
    return next(killed, by_time[0])
