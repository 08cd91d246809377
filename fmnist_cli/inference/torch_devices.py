"""What torch computes on and how: device, CPU threads, precision, memory, determinism."""

import ctypes
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import torch

from fmnist_cli.devices import device_name, usable_cores
from fmnist_cli.errors import CheckFailed, Unavailable, UsageError

_LOG: Final = logging.getLogger(__name__)
_M_TRIM_THRESHOLD: Final = -1
_M_MMAP_THRESHOLD: Final = -3
_KEEP_BLOCKS_TO_BYTES: Final = 1 << 30


def resolve(name: str) -> torch.device:
    """The device with the name auto, cpu, cuda, cuda:N or mps, as `device_name` reads it.

    `auto` is the first CUDA device, else MPS, else the CPU; a named device is never replaced.
    Raises UsageError for an invalid name, Unavailable for a missing device; the message says why
    and lists the available ones.
    """
    name, found = device_name(name), available()
    device = {"auto": found[0], "cuda": "cuda:0"}.get(name, name)
    if device not in found:
        reason = _why_missing(device)
        raise Unavailable(f"no device '{name}': {reason}; there is: {', '.join(found)}")
    return torch.device(device)


def available() -> list[str]:
    """Names of the available devices, the preferred one first, `cpu` always last."""
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    mps = ["mps"] if torch.backends.mps.is_available() else []
    return [*(f"cuda:{n}" for n in range(count)), *mps, "cpu"]


def is_cuda(name: str) -> bool:
    """Whether `name` means a CUDA device, which may be missing. Raises UsageError as `resolve`."""
    name = device_name(name)
    return name.startswith("cuda") or (name == "auto" and torch.cuda.is_available())


def _why_missing(device: str) -> str:
    """Why mps or cuda:N is missing."""
    if device == "mps":
        return "torch finds no MPS device on this machine"
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if torch.version.cuda is None:
        return f"this build of torch ({torch.__version__}) is for the CPU only"
    if not torch.cuda.is_available():
        if visible is not None:
            return f"CUDA finds no device with CUDA_VISIBLE_DEVICES='{visible}'"
        return "CUDA finds no device or no driver for one (nvidia-smi shows more)"
    left = f" that CUDA_VISIBLE_DEVICES='{visible}' leaves" if visible is not None else ""
    return f"the index is too high for the {torch.cuda.device_count()}{left}"


def launched(variable: str, alone: int) -> int:
    """A number that torchrun sets in the environment; `alone` without torchrun.

    Raises UsageError for anything else.
    """
    text = os.environ.get(variable, "") or str(alone)
    if not text.isdecimal():
        raise UsageError(
            f"the environment has {variable}='{text}'; expected a number, as torchrun sets it, "
            f"or none: unset {variable}"
        )
    return int(text)


def set_threads(threads: int | None) -> int:
    """Set torch's CPU threads; returns their number.

    By default the training processes of this machine share the usable cores.
    """
    processes = launched("LOCAL_WORLD_SIZE", 1)
    share = max(1, usable_cores() // processes)
    count = threads or share
    if count > share:
        # oneDNN's threads wait for each other without yielding: one that holds the core that the
        # other needs keeps it for its whole time slice. Seen at bf16 gradients of weights.
        _LOG.warning(
            "%s threads on %s core%s: training in bf16 can be 80 times slower; leave --threads out",
            *(count, share, "s" if share > 1 else ""),
        )
    torch.set_num_threads(count)
    return count


@dataclass(frozen=True, slots=True)
class Precision:
    """Arithmetic of the network, and the memory format of its images."""

    name: str
    dtype: torch.dtype
    memory_format: torch.memory_format

    @property
    def is_reduced(self) -> bool:
        """Whether products have fewer than 32 bits (weights stay fp32)."""
        return self.dtype is not torch.float32


_DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


def resolve_precision(name: str, device: torch.device) -> Precision:
    """The precision with the name auto, fp32, bf16 or fp16 on a device.

    `auto` is a fixed rule, never a measurement, so that a seed has one result: bf16 on CPUs with
    AVX512-BF16 or AMX and on CUDA devices from compute capability 8.0, fp32 elsewhere. CPUs and
    CUDA devices use the channels-last format. Raises UsageError for another name, Unavailable for
    fp16 on a CPU.
    """
    if name == "auto":
        name = "bf16" if _is_good_at_bf16(device) else "fp32"
    if name not in _DTYPES:
        raise UsageError(f"--precision is '{name}'; expected auto, {', '.join(_DTYPES)}")
    if name == "fp16" and device.type == "cpu":
        raise Unavailable("fp16 training needs a GPU; on a CPU use --precision bf16 or fp32")
    layout = torch.contiguous_format if device.type == "mps" else torch.channels_last
    return Precision(name, _DTYPES[name], layout)


def _is_good_at_bf16(device: torch.device) -> bool:
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    if device.type == "cpu":
        # The public torch.backends.cpu.get_cpu_capability reports AVX512 but not its bf16 part.
        return bool(
            torch.cpu._is_avx512_bf16_supported()  # noqa: SLF001
            or torch.cpu._is_amx_tile_supported()  # noqa: SLF001
        )
    return False


def synchronize(device: torch.device) -> None:
    """Wait for the device, before reading the wall time."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def keep_freed_memory() -> None:
    """Ask glibc to keep freed memory for the next step instead of returning it to the kernel.

    A step on a CPU frees and allocates the same hundreds of megabytes again; the kernel would fault
    in and zero each page anew. Does nothing with another C library.
    """
    if not sys.platform.startswith("linux"):
        return
    library = ctypes.CDLL(None)
    if hasattr(library, "mallopt"):
        library.mallopt(_M_MMAP_THRESHOLD, _KEEP_BLOCKS_TO_BYTES)
        library.mallopt(_M_TRIM_THRESHOLD, 2**31 - 1)


def make_deterministic() -> None:
    """Refuse operations whose results may differ from run to run.

    On CUDA devices cuBLAS needs a workspace of fixed size, set before its first use.
    """
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(mode=True)


@contextmanager
def device_errors(device: torch.device, batch_size: int) -> Iterator[None]:
    """Translate torch's errors in a with-block that trains on batches of `batch_size` images.

    Raises CheckFailed if the device has too little memory, Unavailable for an operation that
    `make_deterministic` forbids: only torch knows which, and only when it is called.
    """
    try:
        yield
    except torch.OutOfMemoryError:
        raise CheckFailed(
            f"{device} has too little memory for batches of {batch_size} images; "
            f"try --batch-size {max(1, batch_size // 2)}"
        ) from None
    except RuntimeError as error:
        if "use_deterministic_algorithms" not in str(error):  # torch has no exception type for it
            raise
        operation, marker, _ = str(error).partition(" does not have a deterministic")
        what = operation if marker else "an operation"
        raise Unavailable(
            f"{what} has no deterministic form on {device}\n"
            "leave --deterministic out, or train on the CPU: --device cpu"
        ) from None
