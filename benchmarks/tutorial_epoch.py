"""An epoch of the `tutorial` recipe against the course's own loop, in turn.

    python -m benchmarks.tutorial_epoch [--rounds 7]

Both train on 60,000 images and evaluate 10,000 per epoch. `fmnist train` gets all 70,000 images and
holds out 10,000; its time is that of the second epoch in `history.csv`.
"""

from collections.abc import Iterator

import pandas as pd

from benchmarks.program import course, fmnist, official, scratch, take_turns, write_idx
from benchmarks.report import Row, run
from fmnist_cli.data.images import join
from fmnist_cli.runs.groups import Estimate

MIN_RATIO = 3.5
IMAGES, HELD_OUT = 60_000, 10_000


def measure(rounds: int = 7) -> Iterator[Row]:
    """Run both loops in turn."""
    with scratch() as folder, course() as seconds_of_course:
        write_idx(join(official("train"), official("test")), folder / "all")

        def second_epoch() -> float:
            command = ("train", "-q", "--recipe", "tutorial", "--data", "all", "--run-dir", "run")
            fmnist(*command, "--epochs", "2", "--val-size", str(HELD_OUT), cwd=folder)
            return float(pd.read_csv(folder / "run" / "history.csv")["seconds"][1])

        turns = {"course": lambda: seconds_of_course("epoch"), "fmnist": second_epoch}
        seconds = take_turns(rounds, turns)
    print(seconds)
    pairs = zip(seconds["course"], seconds["fmnist"], strict=True)
    ci95 = Estimate.of([theirs / ours for theirs, ours in pairs]).ci95
    interval = "unknown" if ci95 is None else "{:.2f} to {:.2f}".format(*ci95)
    rates = {name: [IMAGES / each for each in taken] for name, taken in seconds.items()}
    yield Row(
        "an epoch of the course's network, training and evaluation; 95% interval of the mean "
        f"ratio of {rounds} rounds {interval}",
        rates["fmnist"],
        "images/s",
        baseline=("the course's loop", rates["course"]),
        bars={"ratio ≥": MIN_RATIO},
    )


if __name__ == "__main__":
    run(measure)
