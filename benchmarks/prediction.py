"""`fmnist predict model.onnx FOLDER`: images per second against Pillow alone, constant memory.

    python -m benchmarks.prediction [--rounds 5] [--many 100000]

The folder holds the 10,000 official test images as PNG; the networks are those of the recipes
`tutorial` and `fast`. The rate excludes start-up: 9,999 images over the time that the command takes
longer for all of them than for one. Pillow decodes the same files to arrays; its start-up is
excluded, too. Memory: the command's peak for folders of 1,000 and of `--many` files.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from timeit import timeit

import numpy as np
from PIL import Image

from benchmarks.program import (
    PROGRAM,
    fmnist,
    official,
    scratch,
    seconds_of,
    take_turns,
    write_models,
    write_pngs,
)
from benchmarks.report import Row, run
from fmnist_cli.devices import usable_cores

MIN_RATIO = 0.5
FEW = 1_000
MAX_GROWTH = 0.1
ALONE = "Pillow alone, 1 process"
PIECE = 100
"""Files per task of a Pillow process."""


def measure(rounds: int = 5, many: int = 100_000) -> Iterator[Row]:
    """Take turns with Pillow, then compare peaks."""
    images = official("test").images
    with scratch() as folder:
        pictures = write_pngs(images, folder / "pictures")
        models = {recipe: write_models(recipe, folder)[1] for recipe in ("tutorial", "fast")}
        paths = sorted(pictures.iterdir())
        pieces = [paths[start : start + PIECE] for start in range(0, len(paths), PIECE)]
        decode(paths[:1])  # imports Pillow's plugins, before the processes fork
        with ProcessPoolExecutor(usable_cores()) as pool:
            list(pool.map(decode, pieces[:1] * 4 * usable_cores()))  # starts them
            cores = f"Pillow alone, {usable_cores()} processes"
            pillow = {
                ALONE: partial(timeit, partial(decode, paths), number=1),
                cores: partial(timeit, lambda: list(pool.map(decode, pieces)), number=1),
            }
            commands = {
                (recipe, files): partial(seconds_of, PROGRAM, "predict", model, files)
                for recipe, model in models.items()
                for files in (pictures, paths[0])
            }
            seconds = take_turns(rounds, {**pillow, **commands})
        for recipe in models:
            what = f"`predict model.onnx FOLDER`, network of `{recipe}`, {len(images):,} PNG files"
            whole = seconds[recipe, pictures]
            pairs = list(zip(whole, seconds[recipe, paths[0]], strict=True))
            for name in pillow:
                yield Row(
                    f"{what}, without start-up",
                    [(len(images) - 1) / (everything - one) for everything, one in pairs],
                    "images/s",
                    baseline=(name, [len(images) / each for each in seconds[name]]),
                    bars={"ratio ≥": MIN_RATIO if name == ALONE else None},
                )
            rates = [len(images) / everything for everything in whole]
            yield Row(f"{what}, the whole command", rates, "images/s")
        few, more = (
            fmnist("predict", models["tutorial"], write_pngs(images, folder / str(n), n)).megabytes
            for n in (FEW, many)
        )
    yield Row(
        f"peak memory of `predict model.onnx FOLDER` with {many:,} files",
        more,
        "MB",
        baseline=(f"with {FEW:,}", few),
        bars={"ratio ≥": 1 - MAX_GROWTH, "ratio ≤": 1 + MAX_GROWTH},
    )


def decode(paths: Sequence[Path]) -> None:
    """Decode files to arrays by Pillow."""
    for path in paths:
        with Image.open(path) as image:
            np.asarray(image)


if __name__ == "__main__":
    run(measure)
