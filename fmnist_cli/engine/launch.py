"""Several processes on this machine, started and watched by torch's elastic launcher."""

import logging
import sys
import uuid
from collections.abc import Sequence

from torch.distributed.elastic.multiprocessing.api import SignalException
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
from torch.distributed.launcher.api import LaunchConfig, elastic_launch

from fmnist_cli.errors import CheckFailed, FmnistError, Interrupted


class ProcessFailedError(FmnistError):
    """A process ended with an error that it has reported itself; `exit_code` is its own."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code  # type: ignore[misc]


def launch(processes: int, arguments: Sequence[str]) -> None:
    """Run this Python with `arguments` in so many processes, as torchrun would, and wait.

    When one of them fails the others are ended. Raises ProcessFailedError with the first one's exit
    code, CheckFailed where a signal killed it, Interrupted where one asked for the end of all.
    """
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
    # The launcher would log what is said better below.
    for name in ("torch.distributed.elastic", "torch.distributed.elastic.agent.server.api"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        elastic_launch(config, sys.executable)(*arguments)
    except SignalException as error:
        raise Interrupted(f"the {processes} training processes have ended", error.sigval) from None
    except ChildFailedError as error:
        rank, failure = error.get_first_failure()
        if failure.exitcode < 0:
            raise CheckFailed(
                f"training process {rank} of {processes} was killed by signal {-failure.exitcode}; "
                "the others were ended; the state saved before stands (--resume goes on from it)"
            ) from None
        raise ProcessFailedError(
            f"training process {rank} of {processes} failed; the others were ended",
            failure.exitcode,
        ) from None
