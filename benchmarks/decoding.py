"""Decode a folder's pictures with Pillow and nothing else: the baseline of `predict`.

    python benchmarks/decoding.py FOLDER PROCESSES

prints the images a second, without the time for start and imports.
"""

import os
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor

import numpy as np
from PIL import Image

_PIECE = 100


def decode(paths: Sequence[str]) -> int:
    """Decode files to arrays; gives the number of pixels."""
    pixels = 0
    for path in paths:
        with Image.open(path) as image:
            pixels += np.asarray(image).size
    return pixels


def main() -> None:
    """Decode in this process, or in so many others that wait for work."""
    folder, processes = sys.argv[1], int(sys.argv[2])
    paths = sorted(entry.path for entry in os.scandir(folder))
    pieces = [paths[start : start + _PIECE] for start in range(0, len(paths), _PIECE)]
    if processes == 1:
        decode(paths[:1])  # imports what Pillow imports late
        started_at = time.perf_counter()
        decode(paths)
    else:
        with ProcessPoolExecutor(processes) as pool:
            list(pool.map(decode, [paths[:1]] * 4 * processes))
            started_at = time.perf_counter()
            list(pool.map(decode, pieces))
    print(len(paths) / (time.perf_counter() - started_at))


if __name__ == "__main__":
    main()
