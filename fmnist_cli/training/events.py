"""TensorBoard events of a run, by torch's own writer."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from fmnist_cli.errors import Unavailable
from fmnist_cli.training.batches import Batches
from fmnist_cli.training.results import EpochResult

_GRID_IMAGES: Final = 64
_GRID_COLUMNS: Final = 8


class EventLog:
    """Scalars of each epoch and one grid of augmented images.

    Raises Unavailable where TensorBoard is not installed.
    """

    def __init__(self, folder: Path) -> None:
        try:
            from torch.utils.tensorboard.writer import SummaryWriter
        except ImportError:
            raise Unavailable(
                "--tensorboard needs TensorBoard: pip install 'fmnist-cli[tensorboard]'"
            ) from None
        self._writer: Any = SummaryWriter(str(folder))

    def images(self, batches: Batches) -> None:
        """Write the first images of the first epoch as the network sees them."""
        from torchvision.utils import make_grid

        batch = batches.in_order()
        normalization = batches.normalization
        pixels = (batch.images[:_GRID_IMAGES] * normalization.std + normalization.mean).clamp(0, 1)
        self._writer.add_image("augmented", make_grid(pixels, nrow=_GRID_COLUMNS))

    def epoch(self, result: EpochResult) -> None:
        """Write the scalars of an epoch."""
        figures = {
            "loss/train": result.train_loss,
            "loss/val": result.val_loss,
            "accuracy/train": result.train_accuracy,
            "accuracy/val": result.val_accuracy,
            "lr": result.lr,
            "images_per_second": result.images_per_second,
        }
        for name, value in figures.items():
            if value is not None:
                self._writer.add_scalar(name, value, result.epoch)
        self._writer.flush()

    def options(
        self, values: Mapping[str, Any], best_epoch: int, val_accuracy: float | None
    ) -> None:
        """Write a finished run's options and outcome, which TensorBoard compares as hparams."""
        from torch.utils.tensorboard.summary import hparams

        outcome = {"accuracy/val": val_accuracy or 0.0}
        for summary in hparams(dict(values), outcome):  # type: ignore[no-untyped-call]
            self._writer.file_writer.add_summary(summary)
        if val_accuracy is not None:
            self._writer.add_scalar("accuracy/best", val_accuracy, best_epoch)

    def close(self) -> None:
        """Flush and close."""
        self._writer.close()
