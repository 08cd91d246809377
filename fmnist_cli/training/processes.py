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
        """Read RANK, LOCAL_RANK and WORLD_SIZE, which torchrun sets; without, a single process.

        Raises UsageError unless they are numbers.
        """
        return cls(launched("RANK", 0), launched("LOCAL_RANK", 0), launched("WORLD_SIZE", 1))

    @property
    def is_main(self) -> bool:
        """Whether this process writes files and reports."""
        return self.rank == 0

    def device(self, name: str) -> torch.device:
        """The device called `name`; for CUDA, one for each process on this machine."""
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
        devices = None
        if device.type == "cuda":
            model = nn.SyncBatchNorm.convert_sync_batchnorm(model)  # type: ignore[no-untyped-call]
            devices = [device.index]
        # On CPUs, for which torch has no such layer, each process keeps its own statistics.
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
        maxima = torch.tensor(values, dtype=torch.float64)
        distributed.all_reduce(maxima, distributed.ReduceOp.MAX, group=_CONTROL[0])
        return maxima.tolist()


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
        # gloo has no error type for a collective that fails because of another process.
        if not isinstance(error, distributed.DistBackendError) and "gloo" not in str(error):
            raise
        raise CheckFailed(
            "another training process is gone; resume from the last saved state with --resume"
        ) from None
    finally:
        _CONTROL.clear()
        distributed.destroy_process_group()
