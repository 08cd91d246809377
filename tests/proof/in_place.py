"""An alteration of the program, made in the process that a proof forks it from."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def write_in_place() -> None:
    """Let training write its files where they stand: proofs of saving have to notice this."""
    from fmnist_cli.checkpoints import checkpoint
    from fmnist_cli.training import run_directory

    for module in (run_directory, checkpoint):
        vars(module)["atomic_write"] = _in_place


@contextmanager
def _in_place(path: Path) -> Iterator[Path]:
    path.parent.mkdir(parents=True, exist_ok=True)
    yield path
