"""What `--class-weights balanced` does where a class is rare.

    python -m benchmarks.balanced [--epochs 8]

Shirts are thinned to one of twenty in the training split; one model is trained without weights and
one with `balanced`, same seed; both are judged on the whole official test split.
"""

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.harness.rows import Row, parser, report
from benchmarks.program import fmnist, official_training_split, scores, write_idx
from fmnist_cli.constants import CLASS_NAMES

RARE = "Shirt"
ONE_OF = 20


def measure(epochs: str) -> Iterator[Row]:
    """Train twice; yields both recalls in a row, and both accuracies."""
    data = official_training_split()
    rare = np.flatnonzero(data.labels == CLASS_NAMES.index(RARE))
    kept = np.ones(len(data), dtype=bool)
    kept[np.delete(rare, slice(None, None, ONE_OF))] = False
    found = []
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        write_idx(data[kept], folder / "thinned")
        for weights in ((), ("--class-weights", "balanced")):
            fmnist("train", "--data", "thinned", "--epochs", epochs, "-q", *weights, cwd=folder)
            found.append(scores("model.pt", folder))
    plain, balanced = found
    what = f"after {epochs} epochs with one {RARE} in {ONE_OF} and `--class-weights balanced`"
    yield Row(
        what=f"recall of {RARE} {what}",
        ours=100 * balanced["report"][RARE]["recall"],
        unit="%",
        n=1,
        baseline=100 * plain["report"][RARE]["recall"],
        against="without weights",
    )
    yield Row(
        what=f"accuracy {what}",
        ours=100 * balanced["accuracy"],
        unit="%",
        n=1,
        baseline=100 * plain["accuracy"],
        against="without weights",
    )


def main() -> int:
    """Print the rows; returns the exit code."""
    options = parser(__doc__)
    options.add_argument("--epochs", default="8")
    given = options.parse_args()
    return report(measure(given.epochs), given)


if __name__ == "__main__":
    sys.exit(main())
