"""Where a model comes from: the metadata that its file carries."""

import platform
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime

import torch

from fmnist_cli import models
from fmnist_cli.checkpoints.archive import read_metadata
from fmnist_cli.checkpoints.metadata import DataRecord, ModelMetadata, NetworkRecord
from fmnist_cli.constants import VERSION
from fmnist_cli.data.images import LabeledImages
from fmnist_cli.data.normalization import Normalization
from fmnist_cli.data.sources import Source
from fmnist_cli.errors import FmnistError
from fmnist_cli.models.cost import count_macs
from fmnist_cli.models.own import digest, is_own
from fmnist_cli.pretrained import locate
from fmnist_cli.training.options import TrainConfig


def describe_data(
    source: Source, data: LabeledImages, val_size: int, split_seed: int | None
) -> DataRecord:
    """Record what a run learns from, and how `evaluate --split val` finds its validation part."""
    return DataRecord(
        spec=source.spec,
        test_spec=source.test_spec,
        kind=source.kind,
        fingerprint=data.fingerprint(),
        n_train=len(data) - val_size,
        val_size=val_size,
        split_seed=split_seed,
    )


def has_seen_validation(weights: str | None, data: DataRecord) -> bool:
    """Whether the initial weights were trained on some of the run's validation images.

    weights: what `--weights` names. One split and size always give the same validation part, so
    only another size matters. Weights without a record (a plain state dict) count as unseen.
    """
    if weights is None or not data.val_size:
        return False
    try:
        seen = read_metadata(locate(weights)).data
    except FmnistError:
        return False
    return (
        seen is not None and seen.fingerprint == data.fingerprint and seen.val_size != data.val_size
    )


def describe_model(
    config: TrainConfig,
    name: str,
    model: torch.nn.Module,
    options: Mapping[str, float],
    normalization: Normalization,
    data: DataRecord,
    classes: tuple[str, ...],
) -> ModelMetadata:
    """Record the network, its normalization, and the options and data that trained it."""
    return ModelMetadata(
        network=NetworkRecord(
            name,
            options,
            models.count_parameters(model),
            count_macs(model),
            digest(name) if is_own(name) else None,
        ),
        normalization=normalization,
        classes=classes,
        recipe=config.recipe,
        config={**asdict(config), "model": name},
        data=data,
        versions={
            "fmnist": VERSION,
            "torch": str(torch.__version__),
            "python": platform.python_version(),
        },
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )
