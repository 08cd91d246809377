"""A saver as it should not be, to show that the proofs of saving can fail."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fmnist_cli.checkpoints import checkpoint
from fmnist_cli.training import run_directory as runs


@contextmanager
def _in_place(path: Path) -> Iterator[Path]:
    path.parent.mkdir(parents=True, exist_ok=True)
    yield path


def write_in_place() -> None:
    """Let training write its files where they stand, as `open(path, "wb")` does."""
    for module in (runs, checkpoint):
        vars(module)["atomic_write"] = _in_place
