"""Where a model comes from: the metadata that its file carries."""

import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import torch

from fmnist_cli import models
from fmnist_cli.checkpoints.container import read_metadata
from fmnist_cli.constants import CLASS_NAMES, VERSION
from fmnist_cli.data.digests import digest_images
from fmnist_cli.data.images import LabeledImages
from fmnist_cli.data.normalization import Normalization
from fmnist_cli.data.sources import Source
from fmnist_cli.errors import FmnistError
from fmnist_cli.models.cost import count_macs
from fmnist_cli.pretrained import locate
from fmnist_cli.training.options import TrainConfig


def describe_data(
    source: Source, data: LabeledImages, val_size: int, split_seed: int
) -> dict[str, Any]:
    """Record what a run learns from, and how `evaluate --split val` finds its validation part."""
    return {
        "spec": source.spec,
        "test_spec": source.test_spec,
        "kind": source.kind,
        "fingerprint": data.fingerprint(),
        "n_train": len(data) - val_size,
        "val_size": val_size,
        "split_seed": split_seed,
    }


def record_of_images(source: Source, train: LabeledImages) -> bytes:
    """Digests of the training images; empty where the data's name says it all."""
    named = source.kind in ("fashion-mnist", "synthetic")
    return b"" if named else digest_images(train.images)


def has_seen_validation(weights: str | None, data: Mapping[str, Any]) -> bool:
    """Whether a run's first weights have learnt from images that it is validated on.

    weights: what `--weights` names. data: as `describe_data` records it. The validation part of one
    split and size is always the same, so only another size tells. Weights that record no data,
    such as a plain state dict's, count as unseen.
    """
    if weights is None or not data["val_size"]:
        return False
    try:
        seen = read_metadata(locate(weights)).get("data") or {}
    except FmnistError:
        return False
    same_split = seen.get("fingerprint") == data["fingerprint"]
    return bool(same_split and seen.get("val_size") != data["val_size"])


def describe_model(
    config: TrainConfig,
    model: torch.nn.Module,
    options: Mapping[str, Any],
    normalization: Normalization,
) -> dict[str, Any]:
    """Record the network, its normalization and the options that trained it."""
    return {
        "model": {
            "name": config.model,
            "options": dict(options),
            "parameters": models.count_parameters(model),
            "macs": count_macs(model),
        },
        "preparation": normalization.as_dict(),
        "classes": list(CLASS_NAMES),
        "recipe": config.recipe,
        "config": config.as_dict(),
        "versions": {
            "fmnist": VERSION,
            "torch": str(torch.__version__),
            "python": platform.python_version(),
        },
        "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def describe_metrics(
    row: Mapping[str, Any] | None, epochs: int, seconds: float
) -> dict[str, float | int | None]:
    """Record the figures of the epoch whose weights a file holds; `row`: that of its history."""
    return {
        "val_accuracy": row["val_accuracy"] if row else None,
        "val_loss": row["val_loss"] if row else None,
        "epoch": row["epoch"] if row else 0,
        "epochs": epochs,
        "seconds": seconds,
    }
