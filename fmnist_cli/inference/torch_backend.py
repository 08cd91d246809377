"""A `.pt` file's network as a classifier."""

from pathlib import Path
from typing import Final

import numpy as np
import torch
from torch import nn

from fmnist_cli.checkpoints.metadata import ModelMetadata
from fmnist_cli.checkpoints.weights import Stem, open_model
from fmnist_cli.data.images import Images
from fmnist_cli.data.normalization import Normalization
from fmnist_cli.inference.classifier import Classifier, Probabilities
from fmnist_cli.inference.torch_devices import (
    Precision,
    keep_freed_memory,
    resolve,
    resolve_precision,
    set_threads,
)
from fmnist_cli.models.cost import Layer, layers_of
from fmnist_cli.models.own import failures_told, set_layout

_CPU_BATCH_SIZE: Final = 125
"""What a layer gives then still lies in the cache when the next one takes it."""


class TorchClassifier(Classifier):
    """Run a network by torch, on any device."""

    backend = "torch"

    def __init__(
        self,
        path: Path,
        metadata: ModelMetadata,
        model: nn.Module,
        normalization: Normalization,
        device: torch.device,
        precision: Precision,
    ) -> None:
        super().__init__(path, metadata)
        self.device = device
        if device.type == "cpu":
            self.batch_size = _CPU_BATCH_SIZE
            keep_freed_memory()
        self._model = model.to(device)
        self._layout = set_layout(self._model, precision.memory_format)
        self._network = metadata.network.name
        self._normalization = normalization
        self._precision = precision
        self._temperature = metadata.temperature or 1.0

    def layers(self) -> list[Layer]:
        """The layers of the network, in the order in which they compute."""
        return layers_of(self._model)

    @torch.inference_mode()
    def _classify(self, images: Images) -> Probabilities:
        prepared = torch.from_numpy(self._normalization.apply(images)).to(
            self.device, memory_format=self._layout
        )
        # cuDNN would round fp32 convolutions to TF32's 10 bits.
        with (
            torch.backends.cudnn.flags(enabled=True, allow_tf32=False),
            torch.autocast(
                self.device.type, self._precision.dtype, enabled=self._precision.is_reduced
            ),
            failures_told(self._network),
        ):
            logits = self._model(prepared)
        scaled = logits.float() / self._temperature
        probabilities: Probabilities = scaled.softmax(dim=1).cpu().numpy()
        return probabilities.astype(np.float32, copy=False)


def open_classifier(
    path: Path,
    *,
    network: str | nn.Module | None,
    normalization: Normalization | None,
    stem: Stem | None,
    classes: tuple[str, ...] | None,
    device: str,
    threads: int | None,
    precision: str,
) -> TorchClassifier:
    """Load a model file onto a device; see `inference.load`."""
    target = resolve(device)
    arithmetic = resolve_precision(precision, target)
    set_threads(threads)
    loaded = open_model(path, network, normalization=normalization, stem=stem, classes=classes)
    classifier = TorchClassifier(
        path, loaded.metadata, loaded.model, loaded.normalization, target, arithmetic
    )
    classifier.assumed = loaded.assumed
    return classifier
