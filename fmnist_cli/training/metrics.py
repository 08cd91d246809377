"""Loss and accuracy, summed on the device; class weights; temperature."""

from collections.abc import Callable
from itertools import islice
from typing import Final

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from fmnist_cli.data.images import LabeledImages
from fmnist_cli.data.normalization import Normalization
from fmnist_cli.errors import UsageError
from fmnist_cli.training.options import TrainConfig
from fmnist_cli.training.processes import Process

_EVALUATION_BATCH: Final = 125
"""Small enough that a layer's output is still in the CPU's cache when the next layer reads it."""

_NEWTON_STEPS: Final = 20
_MAX_TEMPERATURE: Final = 10.0
"""If all predictions are right, the best temperature would be 0."""


class Meter:
    """Sums over images of loss, correct predictions and count, in float64 if the device has it."""

    def __init__(self, device: torch.device) -> None:
        dtype = torch.float32 if device.type == "mps" else torch.float64
        self.sums = torch.zeros(3, dtype=dtype, device=device)

    @torch.no_grad()
    def add(self, mean_loss: Tensor, logits: Tensor, labels: Tensor) -> None:
        """Add a batch, without waiting for the device."""
        hard = labels.argmax(1) if labels.is_floating_point() else labels
        correct = (logits.argmax(1) == hard).sum()
        self.sums += torch.stack([mean_loss * len(labels), correct, correct * 0 + len(labels)])

    def read(self, process: Process) -> tuple[float, float]:
        """Mean loss and accuracy over all processes. Waits for the device."""
        loss, correct, count = process.sum(self.sums.clone()).tolist()
        return loss / max(count, 1), correct / max(count, 1)


def class_weights(config: TrainConfig, data: LabeledImages, device: torch.device) -> Tensor | None:
    """Weights of the loss by true class, float32 [K]; None if all are 1.

    With `balanced`, all classes have the same total weight, and the mean over the labels is 1.
    Raises UsageError unless the config has one weight for each class.
    """
    if config.class_weights is None:
        return None
    values = config.class_weight_values()
    count = len(data.classes)
    if values is None:
        counts = np.bincount(data.labels, minlength=count)
        values = tuple(len(data) / (count * np.maximum(counts, 1)))
    if len(values) != count:
        raise UsageError(
            f"--class-weights has {len(values)} numbers; expected one for each of {count} classes"
        )
    return torch.tensor(values, dtype=torch.float32, device=device)


@torch.inference_mode()
def evaluate(
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    normalization: Normalization,
    process: Process,
    check: Callable[[], None],
) -> tuple[float, float]:
    """Mean cross-entropy and accuracy over a split, in fp32 like inference.

    images: uint8 [N, 28, 28], labels: int64 [N], on the model's device. The batches are divided
    among the processes; `check` is called before each one and may raise.
    """
    model.eval()
    meter = Meter(images.device)
    parts = (torch.split(tensor, _EVALUATION_BATCH) for tensor in (images, labels))
    batches = zip(*parts, strict=True)
    for batch_images, batch_labels in islice(batches, process.rank, None, process.count):
        check()
        logits = _logits(model, batch_images, normalization)
        meter.add(functional.cross_entropy(logits, batch_labels), logits, batch_labels)
    return meter.read(process)


@torch.inference_mode()
def fit_temperature(
    model: nn.Module, images: Tensor, labels: Tensor, normalization: Normalization
) -> float:
    """The temperature: logits divided by it give the probabilities that fit the labels best.

    It minimizes the cross-entropy of uint8 [N, 28, 28] images and their labels, int64 [N], over
    1/T, in which it is convex (Guo et al., "On Calibration of Modern Neural Networks", 2017).
    """
    model.eval()
    batches = torch.split(images, _EVALUATION_BATCH)
    logits = torch.cat([_logits(model, batch, normalization) for batch in batches]).cpu().double()
    true = logits.gather(1, labels.cpu()[:, None]).mean()
    inverse = 1.0
    for _ in range(_NEWTON_STEPS):
        probabilities = (logits * inverse).softmax(1)
        means = (probabilities * logits).sum(1)
        variance = (probabilities * logits.square()).sum(1) - means.square()
        step = (means.mean() - true) / variance.mean().clamp_min(1e-9)
        inverse = min(max(inverse - float(step), inverse / 2), inverse * 2)
    return min(max(1 / inverse, 1 / _MAX_TEMPERATURE), _MAX_TEMPERATURE)


def _logits(model: nn.Module, images: Tensor, normalization: Normalization) -> Tensor:
    batch = images[:, None].float() * normalization.scale + normalization.shift
    logits: Tensor = model(batch.contiguous(memory_format=torch.channels_last))
    return logits
