"""Training with one process or, by torch.distributed, with several."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel

from fmnist_cli.errors import CheckFailed
from fmnist_cli.inference.torch_devices import launched, resolve


@dataclass(frozen=True, slots=True)
class Process:
    """One of the processes that train a model together."""

    rank: int = 0
    local_rank: int = 0
    count: int = 1

    @classmethod
    def from_environment(cls) -> "Process":
        """Read RANK, LOCAL_RANK and WORLD_SIZE, as torchrun sets them; a single process without.

        Raises UsageError where they are no numbers.
        """
        return cls(
            rank=launched("RANK", 0),
            local_rank=launched("LOCAL_RANK", 0),
            count=launched("WORLD_SIZE", 1),
        )

    @property
    def is_main(self) -> bool:
        """Whether this process writes files and reports."""
        return self.rank == 0

    def device(self, name: str) -> torch.device:
        """The device called `name`; each process on this machine takes a CUDA device of its own."""
        found = resolve(name)
        if found.type != "cuda":
            return found
        if self.count > 1:
            found = resolve(f"cuda:{self.local_rank}")
        torch.cuda.set_device(found)  # used by NCCL and compiled kernels
        return found

    def wrap(self, model: nn.Module, device: torch.device) -> nn.Module:
        """Wrap a network so that its gradients are averaged over the processes."""
        if self.count == 1:
            return model
        # On CPUs, for which torch has no such layer, each rank keeps its own statistics.
        if device.type == "cuda":
            model = nn.SyncBatchNorm.convert_sync_batchnorm(model)  # type: ignore[no-untyped-call]
        devices = [device.index] if device.type == "cuda" else None
        return DistributedDataParallel(model, device_ids=devices, gradient_as_bucket_view=True)

    def sum(self, values: Tensor) -> Tensor:
        """Sum over the processes in place; returns `values`."""
        if self.count > 1:
            distributed.all_reduce(values)
        return values

    def most(self, *values: float) -> list[float]:
        """The maximum of each value over the processes, which all call this in the same step."""
        if self.count == 1:
            return list(values)
        said = torch.tensor(values, dtype=torch.float64)
        distributed.all_reduce(said, distributed.ReduceOp.MAX, group=_CONTROL[0])
        return said.tolist()


ALONE: Final = Process()
"""The only process."""
_CONTROL: list[distributed.ProcessGroup] = []
"""A gloo group for decisions, which never waits for a GPU; empty in a single process."""


@contextmanager
def joined(process: Process, device: torch.device) -> Iterator[None]:
    """Connect to the other processes during a run, by NCCL on CUDA devices and gloo elsewhere."""
    if process.count == 1:
        yield
        return
    distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
    control = distributed.new_group(backend="gloo")
    assert isinstance(control, distributed.ProcessGroup)
    _CONTROL.append(control)
    try:
        yield
    except RuntimeError as error:
        if not _is_lost_connection(error):
            raise
        raise CheckFailed(
            "another training process is gone; the state saved before stands (--resume goes on)"
        ) from None
    finally:
        _CONTROL.clear()
        distributed.destroy_process_group()


def _is_lost_connection(error: RuntimeError) -> bool:
    """Whether a collective failed because of another process; gloo has no error type for it."""
    return isinstance(error, distributed.DistBackendError) or "gloo" in str(error)
