"""An exported network against torch in eager mode, on the same cores, in one run.

    python -m benchmarks.onnx_throughput [--recipe default] [--runs 30]

The recipe's network, barely trained. Both get raw uint8 pixels and return probabilities, so
both times include normalization and softmax. Runs alternate.
"""

from collections.abc import Iterator
from functools import partial
from timeit import timeit

import numpy as np

from benchmarks.program import scratch, take_turns, write_models
from benchmarks.report import Row, run
from fmnist_cli.__main__ import prepare_environment
from fmnist_cli.constants import IMAGE_SIZE
from fmnist_cli.inference.loading import load

MAX_LATENCY_RATIO = 0.5
MIN_RATE_RATIO = 1.0
BATCH = 256


def measure(recipe: str = "default", runs: int = 30) -> Iterator[Row]:
    """Take turns at a batch of 1 and of 256."""
    # As the program does: torch's threads would spin on ONNX Runtime's cores.
    prepare_environment()
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (BATCH, IMAGE_SIZE, IMAGE_SIZE), dtype=np.uint8)
    with scratch() as folder:
        classifiers = {
            path.suffix: load(path, device="cpu") for path in write_models(recipe, folder)
        }
        one, many = (
            take_turns(
                rounds,
                {
                    name: partial(timeit, partial(classify, batch), number=1)
                    for name, classify in classifiers.items()
                },
                warm_up=3,
            )
            for rounds, batch in ((20 * runs, images[:1]), (runs, images))
        )
    milliseconds = {name: [1e3 * seconds for seconds in taken] for name, taken in one.items()}
    yield Row(
        f"exported network of `{recipe}`, one image",
        milliseconds[".onnx"],
        "ms",
        baseline=milliseconds[".pt"],
        against="torch, eager",
        bars={"ratio ≤": MAX_LATENCY_RATIO},
    )
    rates = {name: [BATCH / seconds for seconds in taken] for name, taken in many.items()}
    yield Row(
        f"exported network of `{recipe}`, batches of {BATCH}",
        rates[".onnx"],
        "images/s",
        baseline=rates[".pt"],
        against="torch, eager",
        bars={"ratio ≥": MIN_RATE_RATIO},
    )


if __name__ == "__main__":
    run(measure)
