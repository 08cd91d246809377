"""Model files with fresh weights: speed does not depend on their values."""

from pathlib import Path

import torch

from fmnist_cli import models
from fmnist_cli.checkpoints import checkpoint
from fmnist_cli.checkpoints.metadata import ModelMetadata, NetworkRecord
from fmnist_cli.export.onnx_file import export
from fmnist_cli.training.recipes import RECIPES


def write_model(network: str, folder: Path) -> Path:
    """Write a `.pt` of the network called `network`."""
    torch.manual_seed(0)
    model = models.build(network)
    metadata = ModelMetadata(
        NetworkRecord(network, parameters=models.count_parameters(model)),
        models.network(network).normalization,
    )
    path = folder / f"{network}.pt"
    checkpoint.save(path, model.state_dict(), metadata)
    return path


def write_both(network: str, folder: Path) -> tuple[Path, Path]:
    """Write a `.pt` of the network called `network`, and its export."""
    path = write_model(network, folder)
    return path, export(path, folder / f"{network}.onnx", verify=256).path


def network_of(recipe: str) -> str:
    """Name of the network that a recipe trains."""
    return str(RECIPES[recipe].options["model"])
