"""An exported network against torch in eager mode, on the same cores, in one run.

    python -m benchmarks.onnx_throughput [--recipe default] [--runs 30]

The recipe's network with untrained weights. Both get raw uint8 pixels and return probabilities, so
both times include normalization and softmax. Runs alternate.
"""

import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.report import Row, run
from fmnist_cli.__main__ import prepare_environment

prepare_environment()  # as the program does: torch's threads would spin on ONNX Runtime's cores

from benchmarks.program import write_models  # noqa: E402 - torch reads the environment
from fmnist_cli.constants import IMAGE_SIZE  # noqa: E402
from fmnist_cli.inference.classifier import Classifier  # noqa: E402
from fmnist_cli.inference.loading import load  # noqa: E402

MAX_LATENCY_RATIO = 0.5
MIN_RATE_RATIO = 1.0
BATCH = 256


def measure(*, recipe: str = "default", runs: int = 30) -> Iterator[Row]:
    """Take turns at a batch of 1 and of 256."""
    with tempfile.TemporaryDirectory() as folder:
        eager, onnx = (load(path, device="cpu") for path in write_models(recipe, Path(folder)))
        torch_seconds, onnx_seconds = _medians(eager, onnx, batch_size=1, runs=20 * runs)
        yield Row(
            f"exported network of `{recipe}`, one image",
            1e3 * onnx_seconds,
            "ms",
            n=20 * runs,
            baseline=1e3 * torch_seconds,
            against="torch, eager",
            ratio_at_most=MAX_LATENCY_RATIO,
        )
        torch_seconds, onnx_seconds = _medians(eager, onnx, batch_size=BATCH, runs=runs)
        yield Row(
            f"exported network of `{recipe}`, batches of {BATCH}",
            BATCH / onnx_seconds,
            "images/s",
            n=runs,
            baseline=BATCH / torch_seconds,
            against="torch, eager",
            ratio_at_least=MIN_RATE_RATIO,
        )


def _medians(*classifiers: Classifier, batch_size: int, runs: int) -> list[float]:
    """Median seconds per batch of each classifier."""
    size = (batch_size, IMAGE_SIZE, IMAGE_SIZE)
    images = np.random.default_rng(0).integers(0, 256, size, dtype=np.uint8)
    seconds: list[list[float]] = [[] for _ in classifiers]
    for _run in range(runs + 3):
        for classifier, taken in zip(classifiers, seconds, strict=True):
            started_at = time.perf_counter()
            classifier(images)
            taken.append(time.perf_counter() - started_at)
    return [statistics.median(taken[3:]) for taken in seconds]  # the first ones warm up


if __name__ == "__main__":
    run(measure)
