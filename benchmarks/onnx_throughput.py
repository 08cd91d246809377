"""Measure an exported network against torch in eager mode, on the same cores, in one run.

    python benchmarks/onnx_throughput.py [MODEL.pt] [--runs 30]

Without a model the default recipe's network is measured with fresh weights: speed does not depend
on their values. Both get raw uint8 pixels and give probabilities, so preparation and softmax are
in both times. Runs alternate, and each figure is a median. Exits 1 where a bar is missed.
"""

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

import numpy as np
import torch

from fmnist_cli import models
from fmnist_cli.engine import checkpoint
from fmnist_cli.engine.recipes import RECIPES
from fmnist_cli.export.onnx_file import export
from fmnist_cli.facts import IMAGE_SIZE
from fmnist_cli.inference.classifier import Classifier, load

MAX_LATENCY_RATIO: Final = 0.5
"""Of ONNX's time for one image to torch's."""
MIN_RATE_RATIO: Final = 1.0
"""Of ONNX's images a second to torch's, at batches of 256."""


def main() -> int:
    """Print both bars' figures; returns the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("model", nargs="?", type=Path)
    parser.add_argument("--runs", type=int, default=30, help="runs of each at batches of 256")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        model = options.model or _fresh_model(Path(folder) / "model.pt")
        exported = export(model, Path(folder) / "model.onnx", verify=256)
        eager, onnx = load(model, device="cpu"), load(exported.path, device="cpu")
        print(
            f"{eager.metadata['model']['name']}, {torch.get_num_threads()} threads, "
            f"torch {torch.__version__} eager against {exported.path.name}"
        )
        latency = _compare(eager, onnx, batch_size=1, runs=20 * options.runs)
        rate = _compare(eager, onnx, batch_size=Classifier.batch_size, runs=options.runs)
    print(f"time at 1: {latency:.2f} of torch's (bar: at most {MAX_LATENCY_RATIO})")
    print(f"rate at 256: {1 / rate:.2f} of torch's (bar: at least {MIN_RATE_RATIO})")
    return int(latency > MAX_LATENCY_RATIO or 1 / rate < MIN_RATE_RATIO)


def _fresh_model(path: Path) -> Path:
    name = str(RECIPES["default"].options["model"])
    torch.manual_seed(0)
    network = models.build(name)
    metadata = {
        "model": {"name": name, "options": {}, "parameters": models.count_parameters(network)},
        "preparation": models.network(name).preparation.as_dict(),
    }
    checkpoint.save(path, network.state_dict(), metadata)
    return path


def _compare(eager: Classifier, onnx: Classifier, *, batch_size: int, runs: int) -> float:
    """Ratio of the medians of ONNX's and torch's times for one batch."""
    size = (batch_size, IMAGE_SIZE, IMAGE_SIZE)
    images = np.random.default_rng(0).integers(0, 256, size, dtype=np.uint8)
    seconds: dict[str, list[float]] = {eager.backend: [], onnx.backend: []}
    for run in range(runs + 3):
        for classifier in (eager, onnx):
            started = time.perf_counter()
            classifier(images)
            if run >= 3:  # the first ones warm up
                seconds[classifier.backend].append(time.perf_counter() - started)
    medians = {backend: statistics.median(times) for backend, times in seconds.items()}
    for backend, median in medians.items():
        print(
            f"  batch {batch_size:3}: {backend:5} {1e3 * median:8.3f} ms, "
            f"{batch_size / median:8,.0f} images/s (median, n = {runs})"
        )
    return medians[onnx.backend] / medians[eager.backend]


if __name__ == "__main__":
    sys.exit(main())
