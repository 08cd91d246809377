"""Samples of labeled images, with the predictions of a model if there is one."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fmnist_cli.data.images import Images, LabeledImages
from fmnist_cli.data.normalization import Normalization


@dataclass(frozen=True, slots=True)
class Sample:
    """One image of a split and, if a model classified it, the model's probabilities."""

    image: Images
    """uint8 [28, 28]."""
    index: int
    """Position in the split."""
    label: int
    classes: tuple[str, ...]
    probabilities: NDArray[np.float32] | None = None
    """[K]."""
    path: Path | None = None
    """The picture file, if the image is from one."""

    @property
    def true_class(self) -> str:
        """The name of the true class."""
        return self.classes[self.label]

    @property
    def ranking(self) -> list[tuple[str, float]]:
        """Classes with their probabilities, the most probable first; empty without a model."""
        if self.probabilities is None:
            return []
        order = np.argsort(-self.probabilities, kind="stable").tolist()
        return [(self.classes[label], float(self.probabilities[label])) for label in order]

    def caption(self) -> str:
        """The true class and, on a second line, the prediction."""
        if self.probabilities is None:
            return self.true_class
        predicted, probability = self.ranking[0]
        return f"{self.true_class}\nas {predicted} {probability:.0%}"

    def as_dict(self) -> dict[str, Any]:
        """Plain data under the keys of `fmnist show --format json`."""
        plain: dict[str, Any] = {"index": self.index, "label": self.label, "class": self.true_class}
        if self.path is not None:
            plain["path"] = str(self.path)
        if self.probabilities is None:
            return plain
        predicted, probability = self.ranking[0]
        return plain | {
            "predicted_label": self.classes.index(predicted),
            "predicted_class": predicted,
            "probability": probability,
        }


def draw_samples(
    data: LabeledImages,
    count: int,
    seed: int,
    augment: str | None = None,
) -> list[Sample]:
    """Choose `count` images at random, as evenly over the classes as possible.

    augment: show them as training with these augmentations (`--augment`) sees them.
    """
    chosen = _stratified_order(data, seed)[:count]
    picked = data[chosen]
    images = picked.images if augment is None else _augmented(picked, augment, seed)
    paths = picked.paths or [None] * len(picked)
    facts = zip(images, chosen.tolist(), picked.labels.tolist(), paths, strict=True)
    return [
        Sample(image, index, label, data.classes, path=path) for image, index, label, path in facts
    ]


def _stratified_order(data: LabeledImages, seed: int) -> NDArray[np.int64]:
    """A random order of the images in which the classes take turns."""
    order = np.random.default_rng(seed).permutation(len(data))
    turn = np.zeros(len(data), dtype=np.int64)
    for label in np.unique(data.labels):
        members = order[data.labels[order] == label]
        turn[members] = np.arange(len(members))
    return order[np.argsort(turn[order], kind="stable")]


def _augmented(samples: LabeledImages, augment: str, seed: int) -> Images:
    import torch

    from fmnist_cli.training.batches import Batches
    from fmnist_cli.training.options import TrainConfig

    config = TrainConfig(batch_size=len(samples), seed=seed, augment=augment)
    batches = Batches(samples, config, Normalization.RAW, torch.device("cpu"))
    pixels = batches.in_order().images[:, 0]
    return (pixels.clamp(0, 1) * 255).round().numpy().astype(np.uint8)
