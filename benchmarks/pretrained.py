"""Train, measure and write the packaged model.

    python -m benchmarks.pretrained [--recipe default] [--seed 0] [--output FILE]

One run of the recipe on the whole official training split. Nothing is selected on the test split,
which is evaluated once. Command, seed and scores go into the file: see `fmnist info pretrained`.
"""

import argparse
import dataclasses
import subprocess
import tempfile
from pathlib import Path

from benchmarks.program import PROGRAM, fmnist
from fmnist_cli.checkpoints import checkpoint
from fmnist_cli.files import atomic_write
from fmnist_cli.pretrained import FILE

MAX_BYTES = 1_500_000


def main() -> None:
    """Train, evaluate, write; a model that is too large does not replace the existing file."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--recipe", default="default")
    parser.add_argument("--seed", default="0")
    parser.add_argument("--output", type=Path, default=FILE)
    given = parser.parse_args()
    options = ["--recipe", given.recipe, "--val-size", "0", "--seed", given.seed]
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        subprocess.run([PROGRAM, "train", *options], cwd=folder, check=True)
        found = fmnist("evaluate", "model.pt", "--format", "json", cwd=folder).document
        model = checkpoint.load(folder / "model.pt")
        card = {"command": " ".join(["fmnist", "train", *options])}
        card |= {name: found[name] for name in ("data", "split", "n", "accuracy", "accuracy_ci95")}
        extra = {**model.metadata.extra, "measured": card}
        metadata = dataclasses.replace(model.metadata, run_dir=None, extra=extra)
        checkpoint.save(folder / "model.pt", model.model.state_dict(), metadata)
        content = (folder / "model.pt").read_bytes()
    if len(content) > MAX_BYTES:
        raise SystemExit(f"the model has {len(content):,} bytes; the limit is {MAX_BYTES:,}")
    with atomic_write(given.output) as temporary:
        temporary.write_bytes(content)
    low, high = found["accuracy_ci95"]
    print(
        f"{given.output}: {len(content):,} bytes; test accuracy {found['accuracy']:.2%}, "
        f"95% interval {low:.2%} to {high:.2%}, n = {found['n']:,}"
    )


if __name__ == "__main__":
    main()
