"""`fmnist predict model.onnx FOLDER`: images per second against Pillow alone, constant memory.

    python -m benchmarks.prediction [--rounds 5] [--many 100000]

The folder holds the 10,000 official test images as PNG; the networks are those of the recipes
`tutorial` and `fast`. The rate excludes start-up: 9,999 images over the time that the command takes
longer for all of them than for one. Pillow decodes the same files to arrays; its start-up is
excluded, too. Memory: the command's peak for folders of 1,000 and of `--many` files.
"""

import statistics
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from benchmarks.program import fmnist, official, timed, write_models, write_pngs
from benchmarks.report import Row, run
from fmnist_cli.devices import usable_cores

MIN_RATIO = 0.5
FEW = 1_000
MAX_GROWTH = 0.1

_PILLOW: Final = """
import os, sys, time
from concurrent.futures import ProcessPoolExecutor
import numpy as np
from PIL import Image

def decode(paths):
    for path in paths:
        with Image.open(path) as image:
            np.asarray(image)

folder, processes = sys.argv[1], int(sys.argv[2])
paths = sorted(entry.path for entry in os.scandir(folder))
pieces = [paths[start : start + 100] for start in range(0, len(paths), 100)]
with ProcessPoolExecutor(processes) as pool:
    list(pool.map(decode, [paths[:1]] * 4 * processes))  # starts the processes, imports plugins
    started_at = time.perf_counter()
    if processes == 1:
        decode(paths[:1])
        started_at = time.perf_counter()
        decode(paths)
    else:
        list(pool.map(decode, pieces))
print(len(paths) / (time.perf_counter() - started_at))
"""


def measure(*, rounds: int = 5, many: int = 100_000) -> Iterator[Row]:
    """Take turns with Pillow, then compare peaks."""
    images = official("test").images
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        pictures = write_pngs(images, folder / "pictures")
        models = {recipe: write_models(recipe, folder)[1] for recipe in ("tutorial", "fast")}
        pillow: dict[int, list[float]] = {1: [], usable_cores(): []}
        rates: dict[str, list[float]] = {recipe: [] for recipe in models}
        whole: dict[str, list[float]] = {recipe: [] for recipe in models}
        for _round in range(rounds):
            for processes, found in pillow.items():
                command = (sys.executable, "-c", _PILLOW, pictures, str(processes))
                found.append(float(timed(*command).stdout))
            for recipe, model in models.items():
                one = fmnist("predict", model, pictures / "000000.png").seconds
                everything = fmnist("predict", model, pictures).seconds
                rates[recipe].append((len(images) - 1) / (everything - one))
                whole[recipe].append(len(images) / everything)
        for recipe in models:
            what = f"`predict model.onnx FOLDER`, network of `{recipe}`, {len(images):,} PNG files"
            for processes, found in pillow.items():
                yield Row(
                    f"{what}, without start-up",
                    statistics.median(rates[recipe]),
                    "images/s",
                    n=rounds,
                    baseline=statistics.median(found),
                    against=f"Pillow alone, {processes} process{'es' if processes > 1 else ''}",
                    ratio_at_least=MIN_RATIO if processes == 1 else None,
                )
            yield Row(
                f"{what}, the whole command", statistics.median(whole[recipe]), "images/s", n=rounds
            )
        few, more = (
            fmnist("predict", models["tutorial"], write_pngs(images, folder / str(n), n)).megabytes
            for n in (FEW, many)
        )
    yield Row(
        f"peak memory of `predict model.onnx FOLDER` with {many:,} files",
        more,
        "MB",
        baseline=few,
        against=f"with {FEW:,}",
        ratio_at_least=1 - MAX_GROWTH,
        ratio_at_most=1 + MAX_GROWTH,
    )


if __name__ == "__main__":
    run(measure)
