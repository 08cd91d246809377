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
        for what, unit, batch, rounds, figure_of, bars in (
            ("one image", "ms", images[:1], 20 * runs, lambda s: 1e3 * s, {"ratio ≤": 0.5}),
            (
                f"batches of {BATCH}",
                "images/s",
                images,
                runs,
                lambda s: BATCH / s,
                {"ratio ≥": 1.0},
            ),
        ):
            turns = {
                name: partial(timeit, partial(classify, batch), number=1)
                for name, classify in classifiers.items()
            }
            seconds = take_turns(rounds, turns, warm_up=3)
            figures = {name: list(map(figure_of, taken)) for name, taken in seconds.items()}
            yield Row(
                f"exported network of `{recipe}`, {what}",
                figures[".onnx"],
                unit,
                baseline=("torch, eager", figures[".pt"]),
                bars=bars,
            )


if __name__ == "__main__":
    run(measure)
