"""What `--class-weights balanced` does where a class is rare.

    python -m benchmarks.balanced [--epochs 8]

Shirts are thinned to one of twenty in the training split; one model is trained without weights and
one with `balanced`, same seed; both are judged on the whole official test split.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.program import fmnist, official_training_split, scores, write_idx
from fmnist_cli.facts import CLASS_NAMES

RARE = "Shirt"
ONE_OF = 20


def main() -> None:
    """Train twice and print both recalls."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--epochs", default="8")
    epochs: str = parser.parse_args().epochs
    data = official_training_split()
    rare = np.flatnonzero(data.labels == CLASS_NAMES.index(RARE))
    kept = np.ones(len(data), dtype=bool)
    kept[np.delete(rare, slice(None, None, ONE_OF))] = False
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        write_idx(data[kept], folder / "thinned")
        print(
            f"{kept.sum():,} training images, {len(rare) // ONE_OF} of them {RARE}; {epochs} epochs"
        )
        for name, weights in (("no weights", []), ("balanced", ["--class-weights", "balanced"])):
            common = ("--data", "thinned", "--epochs", epochs, "-q", *weights)
            fmnist("train", *common, cwd=folder)
            found = scores("model.pt", folder)
            recall = found["report"][RARE]["recall"]
            print(f"{name:>10}: recall of {RARE} {recall:.4f}, accuracy {found['accuracy']:.4f}")


if __name__ == "__main__":
    main()
