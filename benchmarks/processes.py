"""Two processes of one thread each against one process of two threads: images a second.

    python -m benchmarks.processes [--rounds 3]

`fmnist train --epochs 2` on the real data, turn by turn; the rate is the program's own, of training
alone.
"""

import json
import statistics
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.harness.commands import timed
from benchmarks.harness.rows import Row, parser, report
from benchmarks.program import PROGRAM

LEAST_RATIO = 0.9
WAYS = {"one": ("--threads", "2"), "two": ("--nproc", "2", "--threads", "1")}


def measure(rounds: int, recipes: Sequence[str]) -> Iterator[Row]:
    """Take turns; yields a row a recipe."""
    for recipe in recipes:
        rates: dict[str, list[float]] = {name: [] for name in WAYS}
        for _round in range(rounds):
            for name, options in WAYS.items():
                rates[name].append(_rate(recipe, options))
        yield Row(
            what=f"`fmnist train --recipe {recipe} --nproc 2 --threads 1`",
            ours=statistics.median(rates["two"]),
            unit="images/s",
            n=rounds,
            baseline=statistics.median(rates["one"]),
            against="--threads 2",
            ratio_at_least=LEAST_RATIO,
        )


def _rate(recipe: str, options: Sequence[str]) -> float:
    command = [str(PROGRAM), "train", "-q", "--recipe", recipe, "--epochs", "2", "--val-size", "0"]
    with tempfile.TemporaryDirectory() as folder:
        done = timed([*command, *options, "--format", "json"], cwd=Path(folder))
    return float(json.loads(done.stdout)["images_per_second"])


def main() -> int:
    """Print the rows; returns the exit code."""
    options = parser(__doc__)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--recipes", nargs="+", default=["fast", "tutorial"])
    given = options.parse_args()
    return report(measure(given.rounds, given.recipes), given)


if __name__ == "__main__":
    sys.exit(main())
