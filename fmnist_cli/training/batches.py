"""Batches of a split that lives, whole and as uint8, on the device.

A batch is a gather, an augmentation and a normalization of whole tensors; there is no loader. Which
images it holds and how they are augmented is a function of (seed, epoch, step), never of history.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fmnist_cli.data.images import LabeledImages
from fmnist_cli.data.normalization import Normalization
from fmnist_cli.training import augment
from fmnist_cli.training.augment import Draws
from fmnist_cli.training.options import TrainConfig
from fmnist_cli.training.processes import ALONE, Process

_ORDER, _AUGMENTATION, NETWORK, PRUNING = range(4)
"""Streams of random numbers that are derived from (seed, epoch, step); NETWORK is for dropout."""


@dataclass(frozen=True, slots=True)
class Batch:
    """One process's share of one optimizer step."""

    step: int
    positions: Tensor
    """int64 [B], positions of the images in the training split."""
    images: Tensor
    """Normalized float32 [B, 1, 28, 28]; channels-last is the same layout for one channel."""
    labels: Tensor
    """int64 [B], or float32 [B, K] if images were mixed."""


class Batches:
    """Shuffled, augmented and normalized batches of a training split."""

    def __init__(
        self,
        split: LabeledImages,
        config: TrainConfig,
        normalization: Normalization,
        device: torch.device,
        process: Process = ALONE,
    ) -> None:
        self.images, self.labels = on_device(split, device)
        self.batch_size = min(config.batch_size, len(split))
        self.num_classes = len(split.classes)
        self.seed, self.normalization = config.seed, normalization
        self.augmentations = augment.parse(config.augment)
        size = self.batch_size // process.count
        self._share = slice(process.rank * size, (process.rank + 1) * size)
        """The part of each batch that this process holds."""

    def __len__(self) -> int:
        """Steps in an epoch of all images; the last, partial batch is left out."""
        return len(self.labels) // self.batch_size

    def epoch(
        self, epoch: int, *, first_step: int = 0, chosen: NDArray[np.int64] | None = None
    ) -> Iterator[Batch]:
        """Batches of one epoch, from `first_step` on.

        chosen: positions in the split, int64 [M], of the images to use; None: all.
        """
        device = self.images.device
        images = len(self.labels) if chosen is None else chosen
        order = np.random.default_rng([self.seed, epoch, _ORDER]).permutation(images)
        positions = torch.from_numpy(order).to(device)
        for step in range(first_step, len(order) // self.batch_size):
            start = step * self.batch_size
            yield self._batch(epoch, step, positions[start : start + self.batch_size][self._share])

    def in_order(self) -> Batch:
        """The first images of the split, augmented as in the first epoch, for display."""
        positions = torch.arange(self.batch_size, device=self.images.device)[self._share]
        return self._batch(0, 0, positions)

    def _batch(self, epoch: int, step: int, positions: Tensor) -> Batch:
        images = self.images[positions][:, None].float() / 255
        labels = self.labels[positions]
        if self.augmentations:
            seed = seed_of(self.seed, epoch, step, _AUGMENTATION)
            generator = torch.Generator(self.images.device).manual_seed(seed)
            draws = Draws(
                seed, generator, self.batch_size, self._share, epoch, positions, self.num_classes
            )
            for augmentation in self.augmentations:
                images, labels = augmentation(images, labels, draws)
        if self.normalization != Normalization.RAW:
            images = (images - self.normalization.mean) / self.normalization.std
        return Batch(step, positions, images, labels)


def on_device(split: LabeledImages, device: torch.device) -> tuple[Tensor, Tensor]:
    """Copy a split to the device: uint8 [N, 28, 28] and int64 [N]."""
    # Read-only arrays are copied, because torch does not accept them; others are shared.
    images, labels = (np.require(a, requirements=["C", "W"]) for a in (split.images, split.labels))
    return torch.from_numpy(images).to(device), torch.from_numpy(labels).to(device)


def seed_of(*words: int) -> int:
    """Mix integers into one 63-bit seed, so that the seeds of neighboring steps are unrelated."""
    return int(np.random.SeedSequence(words).generate_state(1, np.uint64)[0] >> np.uint64(1))
