"""Measure each exercise of the course's homework off and on, and write docs/homework.md.

    python -m benchmarks.homework --work FOLDER [--epochs 3] [--minutes 4]

Exercises that change training are judged on images of the official training split that were kept
out of it; the test split is not opened. Three seeds, each pair alike but for the exercise. Runs are
kept in FOLDER, so that several short calls do the whole; the page is written when none is missing.
"""

import argparse
import math
import time
from pathlib import Path
from typing import Final

from benchmarks.harness.kept import Kept
from benchmarks.homework import page
from benchmarks.homework.inference import Use, use
from benchmarks.homework.training import EXERCISES, OFF, OFF_FEW, SEEDS, find, name, train
from benchmarks.quiet import Watch

PAGE: Final = Path(__file__).parents[2] / "docs" / "homework.md"
USE: Final = "use"


def main() -> None:
    """Do what is missing for so many minutes, and write the page when nothing is."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "--work", type=Path, required=True, help="folder that is kept between calls"
    )
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument(
        "--minutes", type=float, default=math.inf, help="start nothing after so long"
    )
    parser.add_argument("--again", action="store_true", help="repeat the runs that were disturbed")
    options = parser.parse_args()
    kept = Kept(options.work / f"homework-{options.epochs}-epochs.json")
    stop_at = time.monotonic() + 60 * options.minutes

    def check_time() -> None:
        if time.monotonic() > stop_at:
            raise SystemExit("not done yet: the same command goes on")

    for seed in SEEDS:
        for exercise in (OFF, OFF_FEW, *EXERCISES):
            done = find(kept, exercise, seed)
            if done is None or (options.again and done.seconds is None):
                check_time()
                found = train(exercise, seed, options.epochs)
                kept.keep(name(exercise, seed), found)
                print(f"{exercise.name}, seed {seed}: {found}", flush=True)
    if USE not in kept.found:
        check_time()
        with Watch() as watch:
            found = use()
        if not watch.is_quiet:
            raise SystemExit(f"others took {watch.taken:.0%} of the cores: the same command again")
        kept.keep(USE, found)
    PAGE.write_text(
        page.render(kept, Use(**kept.found[USE]), epochs=options.epochs), encoding="utf-8"
    )
    print(PAGE)


if __name__ == "__main__":
    main()
