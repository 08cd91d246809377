"""Read the state of an earlier run; anything but the form that `Run` writes is refused."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fmnist_cli.checkpoints import checkpoint
from fmnist_cli.errors import CheckpointError
from fmnist_cli.training.run_directory import HISTORY_COLUMNS


def read_state(path: Path, network: str | None = None) -> checkpoint.Checkpoint:
    """Read a run's `last.pt`, with its training state in the documented form.

    network: of the user's own, if the run trains one. Raises as `checkpoint.load_training`, and
    CheckpointError for a state of another form.
    """
    loaded = checkpoint.load_training(path, network)
    if loaded.metadata.config is None or loaded.metadata.data is None:
        raise _of_another_form(path)
    match loaded.training:
        case {
            "trainer": {
                "epoch": int(epoch),
                "step": int(step),
                "share_spent": int() | float(),
                "train_step": dict(),
                "best": None | {"epoch": int(), "worth": int() | float(), "state_dict": dict()},
            },
            "history": list(history),
            "seconds": int() | float(),
            "output": str(),
        } if min(epoch, step) >= 0 and len(history) == epoch and all(map(_is_row, history)):
            return loaded
    raise _of_another_form(path)


@contextmanager
def of_known_form(path: Path) -> Iterator[None]:
    """Turn errors inside the with-block into CheckpointError.

    For a state of another form, torch's optimizers and networks raise errors of all kinds.
    """
    try:
        yield
    except (AttributeError, IndexError, KeyError, RuntimeError, TypeError, ValueError) as error:
        raise _of_another_form(path) from error


def _is_row(row: object) -> bool:
    """Whether `row` is one of a history: each column is a number or None."""
    return isinstance(row, dict) and all(
        name in row and isinstance(row[name], int | float | None) for name in HISTORY_COLUMNS
    )


def _of_another_form(path: Path) -> CheckpointError:
    return CheckpointError(
        f"'{path}' holds an unknown training state; expected one that fmnist train wrote\n"
        "to use its weights alone: fmnist train --weights"
    )
