"""Pruning of the training split: epochs leave out some of the images with a low loss.

After the first epoch an image's loss shows how much is left to learn from it. Each later epoch
leaves out a random share of the easier half: it has fewer steps, and a later one brings the image
back. Qin et al., "InfoBatch: Lossless Training Speed Up by Unbiased Dynamic Data Pruning" (2024),
who also give the easy images that stay the weight of those left out.
"""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from fmnist_cli.training.batches import PRUNING
from fmnist_cli.training.options import TrainConfig
from fmnist_cli.training.processes import Process


class Pruning:
    """Remembers the loss of each training image and selects the images of an epoch by it.

    images: size of the split. Does nothing if `config.prune` is 0.
    """

    def __init__(self, images: int, config: TrainConfig, device: torch.device) -> None:
        self.images, self.seed, self.is_on = images, config.seed, config.prune > 0
        batch_size = min(config.batch_size, images)
        self._left_out = min(int(config.prune * (images // 2)), images - batch_size)
        self._losses = torch.full((images,), torch.inf, device=device)  # never seen counts as hard
        # Losses that this process has seen since the last `gather`, and 1 for each of them.
        self._seen = torch.zeros((2, images), device=device)
        self.chosen: NDArray[np.int64] | None = None
        """Positions in the training split that the current epoch draws from; None: all."""

    def size(self, epoch: int) -> int:
        """Number of images in an epoch, counted from 0."""
        return self.images - self._left_out if epoch else self.images

    def begin(self, epoch: int) -> None:
        """Select the images of an epoch."""
        if self.size(epoch) == self.images:
            self.chosen = None
            return
        easiest = np.argsort(self._losses.cpu().numpy(), kind="stable")[: self.images // 2]
        random = np.random.default_rng([self.seed, epoch, PRUNING])
        stays = np.ones(self.images, dtype=np.bool_)
        stays[random.choice(easiest, self._left_out, replace=False)] = False
        self.chosen = np.flatnonzero(stays)

    @torch.no_grad()
    def see(self, positions: Tensor, logits: Tensor, labels: Tensor) -> None:
        """Remember the loss of a batch: int64 [B], float32 [B, K], int64 [B] or float [B, K]."""
        if self.is_on:
            losses = functional.cross_entropy(logits, labels, reduction="none")
            self._seen[:, positions] = torch.stack([losses, torch.ones_like(losses)])

    def gather(self, process: Process) -> None:
        """Exchange losses with the other processes, which must all call this."""
        if self.is_on:
            losses, was_seen = process.sum(self._seen)
            self._losses = torch.where(was_seen > 0, losses, self._losses)
            self._seen.zero_()

    def state_dict(self) -> dict[str, Any] | None:
        """Tensors from which `load_state_dict` resumes; call `gather` first."""
        if not self.is_on:
            return None
        chosen = None if self.chosen is None else torch.from_numpy(self.chosen).int()
        return {"losses": self._losses.cpu(), "chosen": chosen}

    def load_state_dict(self, state: Any) -> None:
        """Resume from `state`. Raises ValueError if it belongs to other data."""
        if self.is_on:
            losses, chosen = state["losses"], state["chosen"]
            if losses.shape != self._losses.shape:
                raise ValueError("losses of other images")
            self._losses.copy_(losses)
            self.chosen = None if chosen is None else chosen.numpy().astype(np.int64)
