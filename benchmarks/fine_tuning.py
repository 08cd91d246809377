"""Fine-tuning against training from nothing, where real images are few.

    python -m benchmarks.fine_tuning [--epochs 20]

A model is pretrained on 10,000 drawn images and fine-tuned on 1,000 real ones; another one sees the
1,000 real ones only, for as many epochs. Both are judged on the whole official test split.
"""

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.harness.rows import Row, parser, report
from benchmarks.program import fmnist, official_training_split, scores, write_idx

REAL_IMAGES = 1_000
PRETRAINING_EPOCHS = "5"


def measure(epochs: str) -> Iterator[Row]:
    """Train the three models; yields a row for the pretrained one and one for the fine-tuned."""
    data = official_training_split()
    chosen = np.sort(np.random.default_rng(0).permutation(len(data))[:REAL_IMAGES])
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        write_idx(data[chosen], folder / "few")
        drawn = ("--data", "synthetic", "--epochs", PRETRAINING_EPOCHS, "--val-size", "0")
        fmnist("train", "-q", *drawn, "-o", "drawn.pt", cwd=folder)
        few = ("--data", "few", "--epochs", epochs, "--val-size", "0", "-q", "--lr", "0.02")
        fmnist("train", *few, "-o", "scratch.pt", cwd=folder)
        fmnist("train", *few, "--weights", "drawn.pt", "-o", "tuned.pt", cwd=folder)
        accuracies = {
            name: 100 * scores(f"{name}.pt", folder)["accuracy"]
            for name in ("drawn", "scratch", "tuned")
        }
    yield Row(
        what=f"10,000 drawn images alone, {PRETRAINING_EPOCHS} epochs: test accuracy",
        ours=accuracies["drawn"],
        unit="%",
        n=1,
    )
    yield Row(
        what=f"then {REAL_IMAGES:,} real images, {epochs} epochs: test accuracy",
        ours=accuracies["tuned"],
        unit="%",
        n=1,
        baseline=accuracies["scratch"],
        against="from nothing",
    )


def main() -> int:
    """Print the rows; returns the exit code."""
    options = parser(__doc__)
    options.add_argument("--epochs", default="20")
    given = options.parse_args()
    return report(measure(given.epochs), given)


if __name__ == "__main__":
    sys.exit(main())
