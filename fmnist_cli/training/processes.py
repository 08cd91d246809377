"""One process or many: torch.distributed does the work, torchrun the meeting."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel

from fmnist_cli.errors import CheckFailed
from fmnist_cli.inference.torch_devices import launched, resolve
from fmnist_cli.training.batches import Share


@dataclass(frozen=True, slots=True)
class Process:
    """One process among those that train one model."""

    rank: int = 0
    local_rank: int = 0
    count: int = 1

    @classmethod
    def from_environment(cls) -> "Process":
        """What torchrun says through RANK, LOCAL_RANK and WORLD_SIZE; alone without it.

        Raises UsageError where they are no numbers.
        """
        return cls(
            rank=launched("RANK", 0),
            local_rank=launched("LOCAL_RANK", 0),
            count=launched("WORLD_SIZE", 1),
        )

    @property
    def is_main(self) -> bool:
        """Whether this process writes files and draws."""
        return self.rank == 0

    @property
    def share(self) -> Share:
        """The part of each batch that falls to it."""
        return Share(self.rank, self.count)

    def device(self, name: str) -> torch.device:
        """The device called `name`; of several processes here each takes its own CUDA device."""
        found = resolve(name)
        if found.type != "cuda":
            return found
        if self.count > 1:
            found = resolve(f"cuda:{self.local_rank}")
        torch.cuda.set_device(found)  # NCCL and compiled kernels go where this says
        return found

    def wrap(self, model: nn.Module, device: torch.device) -> nn.Module:
        """Make a network whose gradients are averaged over the processes."""
        if self.count == 1:
            return model
        if device.type == "cuda":  # torch has no such norm for CPUs: there each rank has its own
            model = nn.SyncBatchNorm.convert_sync_batchnorm(model)  # type: ignore[no-untyped-call]
        devices = [device.index] if device.type == "cuda" else None
        return DistributedDataParallel(model, device_ids=devices, gradient_as_bucket_view=True)

    def sum(self, values: Tensor) -> Tensor:
        """Sum over the processes, in place, and give it back."""
        if self.count > 1:
            distributed.all_reduce(values)
        return values

    def most(self, *values: float) -> list[float]:
        """The largest of each value over the processes; each must ask at the same step."""
        if self.count == 1:
            return list(values)
        said = torch.tensor(values, dtype=torch.float64)
        distributed.all_reduce(said, distributed.ReduceOp.MAX, group=_CONTROL[0])
        return said.tolist()


_CONTROL: list[distributed.ProcessGroup] = []
"""A gloo group for decisions, so that asking never waits for a GPU; empty in a lone process."""


@contextmanager
def joined(process: Process, device: torch.device) -> Iterator[None]:
    """Meet the other processes for the duration of a run: NCCL on CUDA devices, gloo elsewhere."""
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
    """Whether another process made a collective fail; gloo has no type of its own for it."""
    return isinstance(error, distributed.DistBackendError) or "gloo" in str(error)
