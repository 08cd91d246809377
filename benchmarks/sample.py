"""Write the package's sample from the official files: `python -m benchmarks.sample DIR`."""

import lzma
import sys
from pathlib import Path

import numpy as np

from fmnist_cli.constants import FILES, NUM_CLASSES
from fmnist_cli.data import idx, sample

PER_CLASS = {"train": 250, "test": 50}


def content(split: str, directory: Path) -> bytes:
    """Return labels and pixels of a split's sample, picked from the official files."""
    images_file, labels_file = FILES["train" if split == "train" else "test"]
    images = idx.read_images(directory / images_file.name)
    labels = idx.read_labels(directory / labels_file.name)
    first = [np.flatnonzero(labels == label)[: PER_CLASS[split]] for label in range(NUM_CLASSES)]
    positions = np.sort(np.stack(first, axis=1), axis=1).ravel()
    return labels[positions].astype(np.uint8).tobytes() + images[positions].tobytes()


if __name__ == "__main__":
    for name in PER_CLASS:
        # Pixels are bytes without alignment: the low bits of a position predict nothing.
        filters = [{"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME, "lc": 4, "pb": 0}]
        packed = lzma.compress(content(name, Path(sys.argv[1])), filters=filters)
        (sample.FOLDER / f"{name}.xz").write_bytes(packed)
