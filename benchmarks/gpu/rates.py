"""Images a second of each recipe, with each step recorded and without, against the floor."""

import time
from typing import Any, Final

import torch

from benchmarks.gpu.setting import Setting
from fmnist_cli import models
from fmnist_cli.data.images import LabeledImages
from fmnist_cli.data.sources import open_source
from fmnist_cli.models.cost import count_layer_values, count_macs
from fmnist_cli.training.options import TrainConfig
from fmnist_cli.training.recipes import resolve
from fmnist_cli.training.trainer import Trainer

_BYTES_A_VALUE: Final = 2
"""In bf16."""
_PASSES: Final = 3
"""Forward, backward to the features, backward to the weights: each reads and writes as much."""
_TIMED_EPOCHS: Final = 2


def measure(setting: Setting, recipe: str) -> dict[str, float]:
    """Images/s of a recipe on all training images, and what one image costs its network."""
    asked = {"recipe": recipe, "device": str(setting.device), **setting.overrides}
    config = resolve({**asked, "val_size": 0, "epochs": 1 + _TIMED_EPOCHS})
    train = open_source(config.data).read("train")
    found = {
        "images": float(len(train)),
        "parameters": float(models.count_parameters(models.build(config.model))),
        "macs": float(count_macs(models.build(config.model))),
        "layer_bytes": float(_BYTES_A_VALUE * count_layer_values(models.build(config.model))),
    }
    ways = {"eager": False, "graph": True} if setting.device.type == "cuda" else {"eager": False}
    for name, cuda_graph in ways.items():
        setting.seconds_left()
        there = TrainConfig.from_dict({**config.as_dict(), "cuda_graph": cuda_graph})
        found[name] = _images_per_second(there, train, setting.device)
    return found


def _images_per_second(config: TrainConfig, train: LabeledImages, device: torch.device) -> float:
    """Of whole epochs, after one to warm up."""
    torch.manual_seed(config.seed)
    trainer = Trainer(
        config,
        models.build(config.model),
        models.network(config.model).normalization,
        train,
        train[:0],
        device=device,
    )
    epochs = trainer.fit()
    next(epochs)
    started_at = time.perf_counter()
    steps = sum(len(trainer.batches) for _epoch in epochs)
    return steps * trainer.batches.batch_size / (time.perf_counter() - started_at)


def floor(found: dict[str, Any], ceilings: dict[str, Any]) -> tuple[float, float]:
    """Seconds of one epoch if only arithmetic counted, and if only memory did."""
    arithmetic = 2 * _PASSES * found["macs"] * found["images"] / (1e12 * ceilings["teraflops"])
    traffic = _PASSES * found["layer_bytes"] * found["images"]
    return arithmetic, traffic / (1e9 * ceilings["gigabytes_per_second"])
