"""An epoch of the `tutorial` recipe against the course's own loop, turn by turn.

    python -m benchmarks.tutorial_epoch [--rounds 3]

Both train on the 60,000 images and judge the 10,000 test images once an epoch. The course's loop
runs in a process of its own with the user's environment, ours with what `fmnist` sets for itself.
Takes the official files from FMNIST_MIRROR or the data folder.
"""

import statistics
import sys
from collections.abc import Iterator

from benchmarks.baseline import Course
from benchmarks.harness.rows import Row, parser, report
from fmnist_cli.__main__ import prepare_environment

prepare_environment()

import torch  # noqa: E402 - reads the environment when it is loaded

from fmnist_cli import models  # noqa: E402
from fmnist_cli.data.sources import open_source  # noqa: E402
from fmnist_cli.training import device  # noqa: E402
from fmnist_cli.training.memory import keep_freed_memory  # noqa: E402
from fmnist_cli.training.recipes import resolve  # noqa: E402
from fmnist_cli.training.trainer import Trainer  # noqa: E402

LEAST_RATIO = 3.5
IMAGES = 60_000


def our_trainer(epochs: int) -> Trainer:
    """The recipe, with the test split where the validation split would be, as in the course."""
    keep_freed_memory()
    device.set_threads(None)
    config = resolve({"recipe": "tutorial", "epochs": epochs, "val_size": 0})
    source = open_source()
    torch.manual_seed(config.seed)
    return Trainer(
        config,
        models.build(config.model),
        models.network(config.model).normalization,
        source.read("train"),
        source.read("test"),
        device=torch.device("cpu"),
    )


def measure(rounds: int) -> Iterator[Row]:
    """Run both loops in turn; yields one row."""
    course_seconds, our_seconds = [], []
    with Course() as course:
        ours = our_trainer(rounds).fit()
        for number in range(1, rounds + 1):
            theirs, result = course.do("epoch"), next(ours)
            course_seconds.append(theirs.seconds)
            our_seconds.append(result.seconds)
            print(
                f"epoch {number}: course {theirs.seconds:.2f} s ({theirs.test_accuracy:.4f}), "
                f"tutorial recipe {result.seconds:.2f} s ({result.val_accuracy:.4f})",
                flush=True,
            )
    yield Row(
        what="an epoch of the course's network, training and judging",
        ours=IMAGES / statistics.median(our_seconds),
        unit="images/s",
        n=rounds,
        baseline=IMAGES / statistics.median(course_seconds),
        against="the course's loop",
        ratio_at_least=LEAST_RATIO,
    )


def main() -> int:
    """Print the row; returns the exit code."""
    options = parser(__doc__)
    options.add_argument("--rounds", type=int, default=3)
    given = options.parse_args()
    return report(measure(given.rounds), given)


if __name__ == "__main__":
    sys.exit(main())
