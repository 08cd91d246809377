"""Time an epoch of the `tutorial` recipe against the course's own loop, turn by turn.

    python -m benchmarks.tutorial_epoch [--rounds 3]

Both train on the 60,000 images and judge the 10,000 test images once an epoch. The course's loop
runs in a process of its own with the user's environment, ours with what `fmnist` sets for itself.
Takes the official files from FMNIST_MIRROR or the data folder. Prints seconds and the ratio.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys

from fmnist_cli.__main__ import prepare_environment

USERS_ENVIRONMENT = dict(os.environ)
prepare_environment()

import torch  # noqa: E402 - reads the environment when it is loaded

from fmnist_cli import models  # noqa: E402
from fmnist_cli.data import download  # noqa: E402
from fmnist_cli.data.sources import open_source  # noqa: E402
from fmnist_cli.engine import device  # noqa: E402
from fmnist_cli.engine.memory import keep_freed_memory  # noqa: E402
from fmnist_cli.engine.recipes import resolve  # noqa: E402
from fmnist_cli.engine.trainer import Trainer  # noqa: E402


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
        models.network(config.model).preparation,
        source.read("train"),
        source.read("test"),
        device=torch.device("cpu"),
    )


def main() -> None:
    """Run both loops in turn and print what they took."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    rounds: int = parser.parse_args().rounds
    folder = download.default_folder()
    download.fetch(folder)
    course = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.course", str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=USERS_ENVIRONMENT,
    )
    assert course.stdin is not None
    assert course.stdout is not None
    while course.stdout.readline().strip() != "ready":
        pass
    ours = our_trainer(rounds).fit()
    ratios = []
    for number in range(1, rounds + 1):
        course.stdin.write("go\n")
        course.stdin.flush()
        theirs = json.loads(course.stdout.readline())
        result = next(ours)
        ratios.append(theirs["seconds"] / result.seconds)
        print(
            f"epoch {number}: course {theirs['seconds']:.2f} s ({theirs['test_accuracy']:.4f}), "
            f"tutorial recipe {result.seconds:.2f} s ({result.val_accuracy:.4f}), "
            f"ratio {ratios[-1]:.2f}",
            flush=True,
        )
    course.stdin.close()
    course.wait()
    print(f"median ratio {statistics.median(ratios):.2f} (n = {rounds})")


if __name__ == "__main__":
    main()
