"""Names to devices, numbers of threads and arithmetic that the device is good at."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch

from fmnist_cli.devices import check_device_name, usable_cores
from fmnist_cli.errors import Unavailable, UsageError


def resolve(name: str) -> torch.device:
    """The device that `name` stands for: auto, cpu, cuda, cuda:N or mps.

    `auto` is the first CUDA device, else MPS, else the CPU. A device that was named is never
    replaced by another. Raises UsageError for a name of no device, Unavailable for one that is not
    there; the message says why and lists what is.
    """
    check_device_name(name)
    if name == "auto":
        return torch.device(available()[0])
    if name == "mps" and not torch.backends.mps.is_available():
        raise Unavailable(f"no MPS device on this machine; there is: {_listed()}")
    if name.startswith("cuda"):
        device = torch.device(name if ":" in name else "cuda:0")
        reason = _why_no_cuda(device.index)
        if reason:
            raise Unavailable(f"no device '{name}': {reason}; there is: {_listed()}")
        return device
    return torch.device(name)


def available() -> list[str]:
    """Names of the devices that are there, the preferred one first, `cpu` always last."""
    cuda = [f"cuda:{n}" for n in range(torch.cuda.device_count())] if _has_cuda() else []
    mps = ["mps"] if torch.backends.mps.is_available() else []
    return [*cuda, *mps, "cpu"]


def is_cuda(name: str) -> bool:
    """Whether `name` stands for a CUDA device; one that is named may turn out not to be there."""
    return name.startswith("cuda") or (name == "auto" and _has_cuda())


def _has_cuda() -> bool:
    return torch.cuda.is_available()


def _listed() -> str:
    return ", ".join(available())


def _why_no_cuda(index: int) -> str:
    """Empty where cuda:`index` is there."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if torch.version.cuda is None:
        return f"this build of torch ({torch.__version__}) is for the CPU only"
    if not _has_cuda():
        if visible is not None:
            return f"CUDA finds no device with CUDA_VISIBLE_DEVICES='{visible}'"
        return "CUDA finds no device or no driver for one (nvidia-smi tells more)"
    count = torch.cuda.device_count()
    if index >= count:
        left = f" that CUDA_VISIBLE_DEVICES='{visible}' leaves" if visible is not None else ""
        return f"the index is too high for the {count}{left}"
    return ""


def launched(variable: str, alone: int) -> int:
    """A number that torchrun gives through the environment; without torchrun, `alone`.

    Raises UsageError where it is none.
    """
    text = os.environ.get(variable, "") or str(alone)
    if not text.isdecimal():
        raise UsageError(
            f"the environment has {variable}='{text}'; expected a number, as torchrun sets it, "
            f"or none: unset {variable}"
        )
    return int(text)


def set_threads(threads: int | None) -> int:
    """Give torch so many CPU threads; returns how many.

    By default the usable cores are shared by the training processes on this machine.
    """
    processes = launched("LOCAL_WORLD_SIZE", 1)
    count = threads or max(1, usable_cores() // processes)
    torch.set_num_threads(count)
    return count


@dataclass(frozen=True, slots=True)
class Precision:
    """Arithmetic of the network: what it multiplies in, and how its images lie in memory."""

    name: str
    dtype: torch.dtype
    memory_format: torch.memory_format

    @property
    def is_reduced(self) -> bool:
        """Whether products are computed in fewer than 32 bits (weights stay fp32)."""
        return self.dtype is not torch.float32


_DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


def resolve_precision(name: str, device: torch.device) -> Precision:
    """The arithmetic that `name` stands for on `device`: auto, fp32, bf16 or fp16.

    `auto` is a fixed rule, never a measurement, so that one seed gives one result: bf16 on CPUs
    with AVX512-BF16 or AMX and on CUDA devices from compute capability 8.0, fp32 elsewhere.
    Images lie channels-last on CPUs and CUDA devices. Raises Unavailable for fp16 on a CPU.
    """
    if name == "auto":
        name = "bf16" if _is_good_at_bf16(device) else "fp32"
    if name == "fp16" and device.type == "cpu":
        raise Unavailable("fp16 training needs a GPU; on a CPU use --precision bf16 or fp32")
    layout = torch.contiguous_format if device.type == "mps" else torch.channels_last
    return Precision(name, _DTYPES[name], layout)


def _is_good_at_bf16(device: torch.device) -> bool:
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    if device.type == "cpu":
        # Private in name, documented in torch.backends.cpu's capabilities only up to AVX512 itself.
        return bool(
            torch.cpu._is_avx512_bf16_supported()  # noqa: SLF001
            or torch.cpu._is_amx_tile_supported()  # noqa: SLF001
        )
    return False


def synchronize(device: torch.device) -> None:
    """Wait for the device: needed where wall time is read."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def make_deterministic() -> None:
    """Refuse operations whose result may differ from run to run.

    On CUDA devices cuBLAS needs a workspace of fixed size, which has to be asked for before its
    first use.
    """
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(mode=True)


@contextmanager
def refusal_told(device: torch.device) -> Iterator[None]:
    """Raise Unavailable where torch refuses an operation that `make_deterministic` has ruled out.

    Which operations these are is known to torch alone, and only when they are called.
    """
    try:
        yield
    except RuntimeError as error:
        if "use_deterministic_algorithms" not in str(error):  # torch has no type of its own for it
            raise
        operation, marker, _ = str(error).partition(" does not have a deterministic")
        what = operation if marker else "an operation"
        raise Unavailable(
            f"{what} has no deterministic form on {device}\n"
            "leave --deterministic out, or train on the CPU: --device cpu"
        ) from None
