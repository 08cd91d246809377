"""A `.pt` file's network as a classifier."""

from pathlib import Path
from typing import Final

import torch

from fmnist_cli.checkpoints.archive import read_digests
from fmnist_cli.checkpoints.checkpoint import Checkpoint
from fmnist_cli.data.images import Images
from fmnist_cli.inference.classifier import Classifier, Probabilities
from fmnist_cli.inference.torch_devices import (
    keep_freed_memory,
    resolve,
    resolve_precision,
    set_threads,
)
from fmnist_cli.models.cost import Layer, layers_of
from fmnist_cli.models.own import set_layout
from fmnist_cli.models.own_code import own_code_errors

_CPU_BATCH_SIZE: Final = 125
"""The output of a layer is then still in the cache when the next one reads it."""


class TorchClassifier(Classifier):
    """Run a network by torch, on any device."""

    backend = "torch"

    def __init__(
        self,
        path: Path,
        loaded: Checkpoint,
        *,
        device: str = "auto",
        threads: int | None = None,
        precision: str = "fp32",
    ) -> None:
        """loaded: what `path` holds. Otherwise as `inference.loading.load`."""
        super().__init__(path, loaded.metadata)
        self.assumed = loaded.assumed
        self.device = resolve(device)
        self._precision = resolve_precision(precision, self.device)
        count = set_threads(threads)
        self.runtime = f"torch on {self.device}, threads: {count}, {self._precision.name}"
        if self.device.type == "cpu":
            self.batch_size = _CPU_BATCH_SIZE
            keep_freed_memory()
        self._model = loaded.model.to(self.device)
        self._layout = set_layout(self._model, self._precision.memory_format)
        self._recorded = loaded.metadata

    def training_digests(self) -> bytes:
        """As in `Classifier`."""
        return read_digests(self.path)

    def layers(self) -> list[Layer]:
        """The layers of the network, in the order in which they compute."""
        return layers_of(self._model)

    @torch.inference_mode()
    def _classify(self, images: Images) -> Probabilities:
        pixels = torch.from_numpy(self._recorded.normalization.apply(images))
        # cuDNN would round fp32 convolutions to TF32's 10 bits.
        with (
            torch.backends.cudnn.flags(enabled=True, allow_tf32=False),
            torch.autocast(
                self.device.type, self._precision.dtype, enabled=self._precision.is_reduced
            ),
            own_code_errors(self._recorded.network.name),
        ):
            logits = self._model(pixels.to(self.device, memory_format=self._layout))
        scaled = logits.float() / (self._recorded.temperature or 1)
        probabilities: Probabilities = scaled.softmax(dim=1).cpu().numpy()
        return probabilities
