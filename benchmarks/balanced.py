"""The effect of `--class-weights balanced` if one class is rare.

    python -m benchmarks.balanced [--epochs 2]

The training split keeps one of twenty shirts; one model is trained without weights and one with
`balanced`, same seed; both are evaluated on the whole official test split.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.program import fmnist, official, write_idx
from benchmarks.report import Row, run
from fmnist_cli.constants import CLASS_NAMES

RARE = "Shirt"
KEPT_EVERY = 20


def measure(*, epochs: int = 2) -> Iterator[Row]:
    """Train twice."""
    data = official("train")
    rare = np.flatnonzero(data.labels == CLASS_NAMES.index(RARE))
    kept = np.ones(len(data), dtype=bool)
    kept[np.delete(rare, slice(None, None, KEPT_EVERY))] = False
    found: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        write_idx(data[kept], folder / "thinned")
        for weights in ((), ("--class-weights", "balanced")):
            command = ("train", "--data", "thinned", "--epochs", str(epochs), "-q")
            fmnist(*command, *weights, cwd=folder)
            test = ("evaluate", "-q", "--data", "fashion-mnist", "--format", "json")
            found.append(fmnist(*test, cwd=folder).document)
    plain, balanced = found
    what = f"after {epochs} epochs with one {RARE} in {KEPT_EVERY} and `--class-weights balanced`"
    for name, ours, baseline in (
        (f"recall of {RARE}", *(each["report"][RARE]["recall"] for each in (balanced, plain))),
        ("accuracy", balanced["accuracy"], plain["accuracy"]),
    ):
        yield Row(
            what=f"{name} {what}",
            ours=100 * ours,
            unit="%",
            baseline=100 * baseline,
            against="without weights",
        )


if __name__ == "__main__":
    run(measure)
