"""An exported network against torch in eager mode, on the same cores, in one run.

    python -m benchmarks.onnx_throughput [MODEL.pt] [--runs 30]

Without a model the default recipe's network is measured with fresh weights: speed does not depend
on their values. Both get raw uint8 pixels and give probabilities, so normalization and softmax are
in both times. Runs alternate.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np

from benchmarks.harness.rows import Row, parser, report
from fmnist_cli.__main__ import prepare_environment

prepare_environment()  # as the program does: torch's threads would spin on ONNX's cores

from benchmarks.fresh import network_of, write_model  # noqa: E402 - torch reads the environment
from fmnist_cli.constants import IMAGE_SIZE  # noqa: E402
from fmnist_cli.export.onnx_file import export  # noqa: E402
from fmnist_cli.inference.classifier import Classifier, load  # noqa: E402

MAX_LATENCY_RATIO: Final = 0.5
"""Of ONNX's time for one image to torch's."""
MIN_RATE_RATIO: Final = 1.0
"""Of ONNX's images a second to torch's, at batches of 256."""


def measure(model: Path | None, runs: int) -> Iterator[Row]:
    """Take turns at a batch of 1 and of 256; yields a row each."""
    with tempfile.TemporaryDirectory() as folder:
        path = model or write_model(network_of("default"), Path(folder))
        exported = export(path, Path(folder) / "model.onnx", verify=256)
        both = load(path, device="cpu"), load(exported.path, device="cpu")
        network = both[0].metadata.network.name if both[0].metadata is not None else path.stem
        eager, onnx = _medians(*both, batch_size=1, runs=20 * runs)
        yield Row(
            what=f"exported `{network}`, one image",
            ours=1e3 * onnx,
            unit="ms",
            n=20 * runs,
            baseline=1e3 * eager,
            against="torch, eager",
            ratio_at_most=MAX_LATENCY_RATIO,
        )
        size = Classifier.batch_size
        eager, onnx = _medians(*both, batch_size=size, runs=runs)
        yield Row(
            what=f"exported `{network}`, batches of {size}",
            ours=size / onnx,
            unit="images/s",
            n=runs,
            baseline=size / eager,
            against="torch, eager",
            ratio_at_least=MIN_RATE_RATIO,
        )


def _medians(
    eager: Classifier, onnx: Classifier, *, batch_size: int, runs: int
) -> tuple[float, float]:
    """Median seconds for one batch, by torch and by ONNX Runtime."""
    size = (batch_size, IMAGE_SIZE, IMAGE_SIZE)
    images = np.random.default_rng(0).integers(0, 256, size, dtype=np.uint8)
    seconds: dict[str, list[float]] = {eager.backend: [], onnx.backend: []}
    for run in range(runs + 3):
        for classifier in (eager, onnx):
            started = time.perf_counter()
            classifier(images)
            if run >= 3:  # the first ones warm up
                seconds[classifier.backend].append(time.perf_counter() - started)
    return statistics.median(seconds[eager.backend]), statistics.median(seconds[onnx.backend])


def main() -> int:
    """Print the rows; returns the exit code."""
    options = parser(__doc__)
    options.add_argument("model", nargs="?", type=Path)
    options.add_argument("--runs", type=int, default=30, help="runs of each at batches of 256")
    given = options.parse_args()
    return report(measure(given.model, given.runs), given)


if __name__ == "__main__":
    sys.exit(main())
