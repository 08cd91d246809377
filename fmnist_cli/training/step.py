"""What an optimizer step changes: weights, their average, optimizer, schedule."""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from fmnist_cli import models
from fmnist_cli.inference.torch_devices import resolve_precision
from fmnist_cli.models.own import set_layout
from fmnist_cli.training.average import MovingAverage
from fmnist_cli.training.optimizer import Schedule, build_optimizer
from fmnist_cli.training.options import TrainConfig
from fmnist_cli.training.processes import Process


class TrainStep:
    """A network with optimizer, schedule, precision and average, as configured."""

    def __init__(
        self,
        config: TrainConfig,
        model: nn.Module,
        *,
        device: torch.device,
        process: Process,
        class_weights: Tensor | None,
        total_steps: int,
        steps_per_epoch: int,
    ) -> None:
        self.device = device
        self.class_weights = class_weights
        self.freeze_stem = config.freeze_stem
        self.label_smoothing = config.label_smoothing
        self.precision = resolve_precision(config.precision, device)
        self.model = model.to(device)
        if config.freeze_backbone:
            self.model.requires_grad_(requires_grad=False)
            models.head_of(self.model)[1].requires_grad_(requires_grad=True)
        self.layout = set_layout(self.model, self.precision.memory_format)
        self.process, self.compiles = process, config.compile
        self.network = self._wrap()
        self.averaged = None if config.ema is None else MovingAverage(self.model, config.ema)
        self.optimizer = build_optimizer(self.model, config)
        self.schedule = Schedule(self.optimizer, config, total_steps, steps_per_epoch)
        self.scaler = torch.amp.GradScaler(
            device.type, enabled=self.precision.dtype is torch.float16
        )

    def _wrap(self) -> nn.Module:
        """Wrap the network so that gradients are averaged over processes, and compile it."""
        network = self.process.wrap(self.model, self.device)
        if self.compiles:
            # A CUDA graph replaces a hundred kernel launches by one. With several processes, it
            # would have to contain their communication.
            alone_on_cuda = self.device.type == "cuda" and self.process.count == 1
            mode = "reduce-overhead" if alone_on_cuda else None
            network.compile(dynamic=False, mode=mode)
        return network

    @property
    def trained(self) -> nn.Module:
        """The network that is validated and saved: the average if there is one."""
        return self.model if self.averaged is None else self.averaged.module

    def train_mode(self, epoch: int = 0) -> None:
        """Enable dropout and batch statistics, except in frozen layers."""
        if self.freeze_stem is not None and epoch >= self.freeze_stem:
            self._freeze(stem_of(self.model))
        self.network.train()
        for module in self.model.modules():
            own = list(module.parameters())
            if own and not any(parameter.requires_grad for parameter in own):
                module.eval()

    def _freeze(self, layers: Iterable[nn.Module]) -> None:
        """Stop training these layers; the backward pass skips them."""
        weights = [parameter for layer in layers for parameter in layer.parameters()]
        moving = [parameter for parameter in weights if parameter.requires_grad]
        for parameter in moving:
            parameter.requires_grad = False
            parameter.grad = None
        if moving:
            self.network = self._wrap()  # or other processes would wait for these gradients

    def step(self, images: Tensor, labels: Tensor, position: int) -> tuple[Tensor, Tensor]:
        """Forward, backward, update; returns logits [B, K] and the mean loss before the update.

        images: prepared float [B, 1, 28, 28]; labels: int64 [B] or float [B, K]; position: where
        the schedule stands afterwards.
        """
        prepared = images.contiguous(memory_format=self.layout)
        logits, loss = self.update(prepared, labels)
        self.schedule.advance_to(position)
        return logits, loss

    def update(self, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """A step at the current learning rate, without waiting for the device."""
        self.optimizer.zero_grad(set_to_none=True)
        logits, loss = self.loss(images, labels)
        self.scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
        self.scaler.step(self.optimizer)
        self.scaler.update()
        if self.averaged is not None:
            self.averaged.update_parameters(self.model)
        return logits.detach(), loss.detach()

    def loss(self, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Logits float32 [B, K] and their mean cross-entropy, in the run's precision."""
        with torch.autocast(
            self.device.type, self.precision.dtype, enabled=self.precision.is_reduced
        ):
            logits = self.network(images)
        logits = logits.float()
        return logits, functional.cross_entropy(
            logits, labels, weight=self.class_weights, label_smoothing=self.label_smoothing
        )

    def state_dict(self) -> dict[str, Any]:
        """Tensors and plain data from which `load_state_dict` resumes bit for bit."""
        return {
            "model": self.model.state_dict(),
            "averaged": self.averaged.state_dict() if self.averaged is not None else None,
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
            "scaler": self.scaler.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Resume from `state`; the schedule stays this one, at that position."""
        self.model.load_state_dict(state["model"])
        if self.averaged is not None:
            self.averaged.load_state_dict(state["averaged"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.schedule.load_state_dict(state["schedule"])  # the rates are this run's
        self.scaler.load_state_dict(state["scaler"])


def stem_of(model: nn.Module) -> list[nn.Module]:
    """The first layer that has weights, and the norm that follows it, if any."""
    layers = [module for module in model.modules() if [*module.parameters(recurse=False)]]
    has_norm = any(isinstance(layer, nn.BatchNorm2d | nn.SyncBatchNorm) for layer in layers[1:2])
    return layers[: 1 + has_norm]
