"""A small task for the tests of training: ten classes of bright squares, learned in seconds."""

from typing import Any

import numpy as np
import torch

from fmnist_cli import models
from fmnist_cli.data.images import LabeledImages
from fmnist_cli.training.optimizer import Budget
from fmnist_cli.training.options import TrainConfig
from fmnist_cli.training.results import EpochResult
from fmnist_cli.training.trainer import Trainer

CPU = torch.device("cpu")


def squares(n: int, seed: int = 0) -> LabeledImages:
    """Images whose class is the place of a bright square, under noise."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, 10, n)
    images = random.integers(0, 80, (n, 28, 28)).astype(np.uint8)
    for image, label in zip(images, labels, strict=True):
        top, left = 3 + 12 * (label // 5), 1 + 5 * (label % 5)
        image[top : top + 8, left : left + 5] += 100
    return LabeledImages(images, labels.astype(np.int64))


def config(**options: Any) -> TrainConfig:
    """Options for a run of a second."""
    usual = {"model": "tutorial", "epochs": 2, "batch_size": 32, "optimizer": "adam", "lr": 0.002}
    return TrainConfig(**{**usual, "val_size": 64, "precision": "fp32", **options})


def trainer(n: int = 256, n_val: int = 64, budget: Budget | None = None, **options: Any) -> Trainer:
    """A trainer on the small task, its initial weights determined by the seed."""
    torch.set_num_threads(1)
    chosen = config(**options)
    torch.manual_seed(chosen.seed)
    model = models.build(chosen.model, 10, **chosen.network_options())
    return Trainer(
        chosen,
        model,
        models.network(chosen.model).normalization,
        squares(n),
        squares(n_val, seed=1),
        device=CPU,
        budget=budget,
    )


def trained(**options: Any) -> tuple[Trainer, list[EpochResult]]:
    """A trainer after its last epoch, and its results."""
    made = trainer(**options)
    return made, list(made.fit())


def weights_of(made: Trainer) -> dict[str, torch.Tensor]:
    """The network's state, copied."""
    return {name: value.clone() for name, value in made.train_step.model.state_dict().items()}


def assert_same(a: Any, b: Any) -> None:
    """Equal in every tensor and number, bit for bit."""
    torch.testing.assert_close(a, b, rtol=0, atol=0)
