"""Fine-tuning against training from nothing, where real images are few.

    python -m benchmarks.fine_tuning [--epochs 20]

A model is pretrained on 10,000 drawn images and fine-tuned on 1,000 real ones; another one sees the
1,000 real ones only, for as many epochs. Both are judged on the whole official test split.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.program import fmnist, official_training_split, scores, write_idx

REAL_IMAGES = 1_000
PRETRAINING_EPOCHS = "5"


def main() -> None:
    """Train the three models and print two accuracies."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--epochs", default="20")
    epochs: str = parser.parse_args().epochs
    data = official_training_split()
    chosen = np.sort(np.random.default_rng(0).permutation(len(data))[:REAL_IMAGES])
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        write_idx(data[chosen], folder / "few")
        drawn = ("--data", "synthetic", "--epochs", PRETRAINING_EPOCHS, "--val-size", "0")
        fmnist("train", "-q", *drawn, "-o", "drawn.pt", cwd=folder)
        alone = scores("drawn.pt", folder)["accuracy"]
        print(f"drawn images alone, {PRETRAINING_EPOCHS} epochs: accuracy {alone:.4f}")
        few = ("--data", "few", "--epochs", epochs, "--val-size", "0", "-q", "--lr", "0.02")
        fmnist("train", *few, "-o", "scratch.pt", cwd=folder)
        fmnist("train", *few, "--weights", "drawn.pt", "-o", "tuned.pt", cwd=folder)
        for name, model in (("from nothing", "scratch.pt"), ("fine-tuned", "tuned.pt")):
            accuracy = scores(model, folder)["accuracy"]
            print(f"{REAL_IMAGES} real images, {epochs} epochs, {name}: accuracy {accuracy:.4f}")


if __name__ == "__main__":
    main()
