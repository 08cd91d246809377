"""Distil several models into one that is as large as each of them.

    python -m benchmarks.gpu.distil TEACHER.pt … --output STUDENT.pt --run-dir FOLDER [--minutes 8]

The student sees augmented training images as `best` does, but its targets are the mean of the
teachers' probabilities on the very same augmented images (Beyer et al., "Knowledge distillation: A
good teacher is patient and consistent", 2022). No other image is used, and no label. Stopped after
so many minutes, the same command goes on.
"""

import argparse
import math
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor

from fmnist_cli.checkpoints import checkpoint
from fmnist_cli.data.images import LabeledImages
from fmnist_cli.data.normalization import Normalization
from fmnist_cli.training.augment import Draws
from fmnist_cli.training.device import resolve_precision
from fmnist_cli.training.recipes import resolve
from fmnist_cli.training.results import Stopped
from fmnist_cli.training.run import Run
from fmnist_cli.training.run_directory import STATE_FILE
from fmnist_cli.training.trainer import Trainer

OPTIONS: Final[Mapping[str, Any]] = {"recipe": "best", "val_size": 0, "label_smoothing": 0.0}
"""The teachers' softness takes the place of smoothing."""


class Teachers:
    """The last of a student's augmentations: puts the teachers' answers in place of the labels."""

    def __init__(self, files: Sequence[Path], device: torch.device, precision: str) -> None:
        self._precision = resolve_precision(precision, device)
        loaded = [checkpoint.load(file) for file in files]
        self._preparations = [one.normalization for one in loaded]
        layout = self._precision.memory_format
        self._models = [one.model.to(device).to(memory_format=layout) for one in loaded]

    @torch.no_grad()
    def __call__(self, images: Tensor, labels: Tensor, draws: Draws) -> tuple[Tensor, Tensor]:
        """Give the images as they are, and the mean of the teachers' probabilities [B, 10]."""
        del labels, draws
        answers = [
            self._answer(model, normalization, images)
            for model, normalization in zip(self._models, self._preparations, strict=True)
        ]
        return images, torch.stack(answers).mean(0)

    def _answer(
        self, model: torch.nn.Module, normalization: Normalization, images: Tensor
    ) -> Tensor:
        prepared = (images - normalization.mean) / normalization.std
        with torch.autocast(
            images.device.type, self._precision.dtype, enabled=self._precision.is_reduced
        ):
            logits = model(prepared.contiguous(memory_format=self._precision.memory_format))
        return torch.softmax(logits.float(), 1)


class Distillation(Run):
    """A training run whose labels come from other models."""

    teachers: Sequence[Path] = ()

    def _build(self, train: LabeledImages, val: LabeledImages) -> Trainer:
        trainer = super()._build(train, val)
        taught = Teachers(self.teachers, self.device, self.config.precision)
        trainer.batches.augmentations = (*trainer.batches.augmentations, taught)
        return trainer


def distil(
    teachers: Sequence[Path], output: Path, run_dir: Path, given: Mapping[str, Any], seconds: float
) -> float:
    """Train a student for at most so many seconds; gives those it took in all its sittings.

    Raises Stopped, with the state saved, where they did not suffice.
    """
    stop_at = time.monotonic() + seconds
    if (run_dir / STATE_FILE).is_file():
        run = Distillation.resume(str(run_dir), {})
    else:
        run = Distillation(resolve({**OPTIONS, **given}), output=output, run_dir=run_dir)
    assert isinstance(run, Distillation)
    run.teachers = teachers
    run.should_stop = lambda: time.monotonic() > stop_at
    for result in run.epochs():
        print(f"epoch {result.epoch}/{result.epochs}: loss {result.train_loss:.4f}", flush=True)
    assert run.summary is not None
    return run.summary.seconds


def main() -> int:
    """Distil; ends with 75 where it has to be called again."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("teachers", type=Path, nargs="+")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--run-dir", type=Path, required=True)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--minutes", type=float, default=math.inf)
    options = parser.parse_args()
    given = {"device": options.device, "seed": options.seed}
    try:
        distil(options.teachers, options.output, options.run_dir, given, 60 * options.minutes)
    except Stopped:
        print("not done yet: the same command goes on", file=sys.stderr)
        return 75
    print(options.output)
    return 0


if __name__ == "__main__":
    sys.exit(main())
