"""TensorBoard events of a run, by torch's own writer."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from fmnist_cli.errors import Unavailable
from fmnist_cli.training.results import EpochResult
from fmnist_cli.training.run_directory import as_options
from fmnist_cli.training.trainer import Trainer

_GRID_IMAGES: Final = 64
_GRID_COLUMNS: Final = 8


def log_epochs(
    results: Iterator[EpochResult],
    trainer: Trainer,
    history: Sequence[Mapping[str, Any]],
    folder: Path,
) -> Iterator[EpochResult]:
    """Pass on the results of a trainer and log their scalars and one grid of augmented images.

    history: a row per epoch, complete after the last result. At the end, options and outcome are
    logged, which TensorBoard compares as hparams. Raises Unavailable if TensorBoard is missing.
    """
    try:
        from torch.utils.tensorboard.summary import hparams
        from torch.utils.tensorboard.writer import SummaryWriter
    except ImportError:
        raise Unavailable(
            "--tensorboard needs TensorBoard: pip install 'fmnist-cli[tensorboard]'"
        ) from None
    from torchvision.utils import make_grid

    writer: Any = SummaryWriter(str(folder))
    try:
        images = trainer.batches.in_order().images[:_GRID_IMAGES]
        pixels = (images * trainer.normalization.std + trainer.normalization.mean).clamp(0, 1)
        writer.add_image("augmented", make_grid(pixels, nrow=_GRID_COLUMNS))
        for result in results:
            scalars = {
                "loss/train": result.train_loss,
                "loss/val": result.val_loss,
                "accuracy/train": result.train_accuracy,
                "accuracy/val": result.val_accuracy,
                "lr": result.lr,
                "images_per_second": result.images_per_second,
            }
            for name, value in scalars.items():
                if value is not None:
                    writer.add_scalar(name, value, result.epoch)
            writer.flush()
            yield result
        if trainer.best is not None:
            accuracy = history[trainer.best.epoch - 1]["val_accuracy"]
            outcome = {"accuracy/val": accuracy or 0.0}
            # SummaryWriter.add_hparams would write them to a directory of their own.
            for summary in hparams(as_options(trainer.config), outcome):  # type: ignore[no-untyped-call]
                writer.file_writer.add_summary(summary)
            if accuracy is not None:
                writer.add_scalar("accuracy/best", accuracy, trainer.best.epoch)
    finally:
        writer.close()
