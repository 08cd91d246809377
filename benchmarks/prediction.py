"""`fmnist predict model.onnx FOLDER`: images a second against Pillow alone, and constant memory.

    python -m benchmarks.prediction [--rounds 5]

The folder holds the 10,000 official test images as PNG; the networks are those of the recipes
`tutorial` and `fast`. The rate is 9,999 over what the command
takes longer for all of them than for one; Pillow decodes the same files to arrays, without its
start. Memory: the command's peak over folders of 1,000 and of 100,000 files.
"""

import statistics
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from benchmarks import decoding
from benchmarks.fresh import network_of, write_both
from benchmarks.harness.commands import timed
from benchmarks.harness.rows import Row, parser, report
from benchmarks.program import PROGRAM
from fmnist_cli.data.sources import open_source
from fmnist_cli.devices import usable_cores

LEAST_SHARE = 0.7
FEW, MANY = 1_000, 100_000
LARGEST_GROWTH = 0.1
MEGABYTE = 1e6


def measure(rounds: int) -> Iterator[Row]:
    """Take turns with Pillow, then compare peaks; yields a row each."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        pictures = _write_pictures(folder / "pictures")
        models = {}
        for recipe in ("tutorial", "fast"):
            _model, models[recipe] = write_both(network_of(recipe), folder)
        yield from _rates(models, pictures, rounds)
        few = _link(pictures, folder / "few", FEW)
        many = _link(pictures, folder / "many", MANY)
        yield _memory(models["tutorial"], few, many)


def _rates(models: Mapping[str, Path], pictures: Path, rounds: int) -> Iterator[Row]:
    """Yield rows for each recipe's network: against Pillow, and with the start."""
    count = len(list(pictures.iterdir()))
    alone: dict[int, list[float]] = {1: [], usable_cores(): []}
    ours: dict[str, list[float]] = {recipe: [] for recipe in models}
    whole: dict[str, list[float]] = {recipe: [] for recipe in models}
    for _round in range(rounds):
        for processes, rates in alone.items():
            command = [sys.executable, decoding.__file__, str(pictures), str(processes)]
            rates.append(float(timed(command).stdout))
        for recipe, model in models.items():
            one = timed([PROGRAM, "predict", model, min(pictures.iterdir())]).seconds
            all_of_them = timed([PROGRAM, "predict", model, pictures]).seconds
            ours[recipe].append((count - 1) / (all_of_them - one))
            whole[recipe].append(count / all_of_them)
    for recipe in models:
        for processes, rates in alone.items():
            word = "process" if processes == 1 else "processes"
            yield Row(
                what=f"`predict model.onnx FOLDER`, network of `{recipe}`, {count:,} PNG files, "
                "start left out",
                ours=statistics.median(ours[recipe]),
                unit="images/s",
                n=rounds,
                baseline=statistics.median(rates),
                against=f"Pillow alone, {processes} {word}",
                ratio_at_least=LEAST_SHARE,
            )
        yield Row(
            what=f"the same, the whole command with its start, network of `{recipe}`",
            ours=statistics.median(whole[recipe]),
            unit="images/s",
            n=rounds,
        )


def _memory(model: Path, few: Path, many: Path) -> Row:
    peaks = [timed([PROGRAM, "predict", model, folder]).peak_bytes for folder in (few, many)]
    return Row(
        what=f"peak memory of `predict model.onnx FOLDER` with {MANY:,} files",
        ours=peaks[1] / MEGABYTE,
        unit="MB",
        n=1,
        baseline=peaks[0] / MEGABYTE,
        against=f"with {FEW:,}",
        ratio_at_least=1 - LARGEST_GROWTH,
        ratio_at_most=1 + LARGEST_GROWTH,
    )


def _write_pictures(folder: Path) -> Path:
    from PIL import Image

    folder.mkdir()
    for number, pixels in enumerate(open_source().read("test").images):
        Image.fromarray(pixels).save(folder / f"{number:06}.png")
    return folder


def _link(pictures: Path, folder: Path, count: int) -> Path:
    """A folder of `count` names, each a file of `pictures` over again."""
    folder.mkdir()
    files = sorted(pictures.iterdir())
    for number in range(count):
        (folder / f"{number:06}.png").hardlink_to(files[number % len(files)])
    return folder


def main() -> int:
    """Print the rows; returns the exit code."""
    options = parser(__doc__)
    options.add_argument("--rounds", type=int, default=5)
    given = options.parse_args()
    return report(measure(given.rounds), given)


if __name__ == "__main__":
    sys.exit(main())
