"""A recipe through the installed program: accuracy, time and memory against the course's 20 epochs.

    python -m benchmarks.recipes fast [--seeds 5] [--first-seed 100] [--course-epochs 2]

Each seed trains on all 60,000 images (`--val-size 0`), keeps the last epoch and is judged once on
the official test split. Before that, the course's loop runs so many epochs; 20 times their mean is
the baseline of the times.
"""

import json
import statistics
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks.baseline import Course
from benchmarks.harness.commands import timed
from benchmarks.harness.rows import Row, parser, report
from benchmarks.program import PROGRAM, fmnist

COURSE_EPOCHS = 20
MEGABYTE = 1e6
MOST_MEMORY = 1_300.0


@dataclass(frozen=True, slots=True)
class Bars:
    """What a recipe has to reach; times as shares of the course's 20 epochs."""

    least_accuracy: float
    most_training: float | None = None
    most_command: float | None = None
    most_parameters: int | None = None


BARS: Final[Mapping[str, Bars]] = {
    # The course's network reached 91.83% with its own loop, and one seed moves by about 0.25.
    "tutorial": Bars(least_accuracy=91.33),
    "fast": Bars(least_accuracy=92.83, most_training=1 / 15, most_command=1 / 12),
    "default": Bars(least_accuracy=94.30, most_training=1.0),
    "small": Bars(least_accuracy=93.50, most_training=2.0, most_parameters=99_999),
}


@dataclass(frozen=True, slots=True)
class Run:
    """One seed's figures."""

    accuracy: float
    """In percent, as the following one."""
    tta_accuracy: float
    training_seconds: float
    command_seconds: float
    peak_megabytes: float
    parameters: int


def measure(recipe: str, seeds: Sequence[int], course_epochs: int) -> Iterator[Row]:
    """Run the course, then every seed; yields the recipe's rows."""
    bars = BARS[recipe]
    with Course() as course:
        epochs = [course.do("epoch").seconds for _ in range(course_epochs)]
    baseline = COURSE_EPOCHS * statistics.mean(epochs)
    print(f"the course: {', '.join(f'{seconds:.1f}' for seconds in epochs)} s an epoch", flush=True)
    runs = []
    for seed in seeds:
        runs.append(train(recipe, seed))
        print(f"{recipe}, seed {seed}: {runs[-1]}", flush=True)

    def row(what: str, figures: Sequence[float], unit: str, **bar: Any) -> Row:
        spread = f" ({min(figures):.2f} to {max(figures):.2f})" if len(figures) > 1 else ""
        return Row(
            what=f"`{recipe}`: {what}{spread}",
            ours=statistics.mean(figures),
            unit=unit,
            n=len(figures),
            statistic="mean",
            **bar,
        )

    against = {
        "baseline": baseline,
        "against": f"{COURSE_EPOCHS} × the course's epoch, mean of {course_epochs}",
    }
    names = f"seed {seeds[0]}" if len(seeds) == 1 else f"seeds {seeds[0]} to {seeds[-1]}"
    yield row(
        f"test accuracy, {names}",
        [run.accuracy for run in runs],
        "%",
        at_least=bars.least_accuracy,
    )
    yield row("with `evaluate --tta`", [run.tta_accuracy for run in runs], "%")
    training = [run.training_seconds for run in runs]
    yield row("training", training, "s", ratio_at_most=bars.most_training, **against)
    command = [run.command_seconds for run in runs]
    yield row("the whole command", command, "s", ratio_at_most=bars.most_command, **against)
    yield Row(
        what=f"`{recipe}`: peak memory of the command",
        ours=max(run.peak_megabytes for run in runs),
        unit="MB",
        n=len(runs),
        statistic="largest",
        at_most=MOST_MEMORY,
    )
    yield Row(
        what=f"`{recipe}`: parameters",
        ours=runs[0].parameters,
        unit="",
        n=1,
        at_most=bars.most_parameters,
    )


def train(recipe: str, seed: int) -> Run:
    """Train one seed by the program, and judge it on the test split."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        command = ["train", "-q", "--recipe", recipe, "--val-size", "0", "--seed", str(seed)]
        done = timed([PROGRAM, *command, "--format", "json"], cwd=folder)

        def ask(*arguments: str) -> dict[str, Any]:
            found: dict[str, Any] = json.loads(fmnist(*arguments, "--format", "json", cwd=folder))
            return found

        return Run(
            accuracy=100 * ask("evaluate", "model.pt")["accuracy"],
            tta_accuracy=100 * ask("evaluate", "model.pt", "--tta")["accuracy"],
            training_seconds=json.loads(done.stdout)["seconds"],
            command_seconds=done.seconds,
            peak_megabytes=done.peak_bytes / MEGABYTE,
            parameters=ask("info", "model.pt")["parameters"],
        )


def main() -> int:
    """Print the rows; returns the exit code."""
    options = parser(__doc__)
    options.add_argument("recipe", choices=BARS)
    options.add_argument("--seeds", type=int, default=1, help="how many")
    options.add_argument("--first-seed", type=int, default=100)
    options.add_argument("--course-epochs", type=int, default=2)
    given = options.parse_args()
    seeds = range(given.first_seed, given.first_seed + given.seeds)
    return report(measure(given.recipe, seeds, given.course_epochs), given)


if __name__ == "__main__":
    sys.exit(main())
