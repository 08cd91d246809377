"""What the device can do: the floor under every time."""

import statistics
import time
from collections.abc import Callable

import torch

from benchmarks.gpu.setting import Setting
from fmnist_cli.training.device import synchronize

_ROUNDS = 10


def measure(setting: Setting) -> dict[str, float]:
    """A large copy's GB/s (read and written), and a large bf16 product's TFLOP/s."""
    size, side = (2**22, 128) if setting.is_toy else (2**32, 8_192)
    source = torch.randint(0, 256, (size,), dtype=torch.uint8, device=setting.device)
    target = torch.empty_like(source)
    copied = _seconds(lambda: target.copy_(source), setting.device)
    # On random numbers: products of zeros draw less power, and run faster than real ones.
    a = torch.randn(side, side, device=setting.device).to(torch.bfloat16)
    b = torch.randn(side, side, device=setting.device).to(torch.bfloat16)
    product = _seconds(lambda: torch.mm(a, b), setting.device)
    return {
        "gigabytes_per_second": 2 * size / copied / 1e9,
        "teraflops": 2 * side**3 / product / 1e12,
    }


def _seconds(work: Callable[[], object], device: torch.device) -> float:
    """Median over rounds, after two to warm up."""
    found = []
    for _round in range(_ROUNDS + 2):
        synchronize(device)
        started_at = time.perf_counter()
        work()
        synchronize(device)
        found.append(time.perf_counter() - started_at)
    return statistics.median(found[2:])
