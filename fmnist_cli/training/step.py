"""What an optimizer step changes: weights, their average, optimizer, schedule."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim.swa_utils import AveragedModel

from fmnist_cli import models
from fmnist_cli.inference.torch_devices import resolve_precision
from fmnist_cli.models.own import set_layout
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
        self.config, self.device, self.process = config, device, process
        self.class_weights = class_weights
        self.precision = resolve_precision(config.precision, device)
        self.model = model.to(device)
        if config.freeze_backbone:
            self.model.requires_grad_(requires_grad=False)
            models.head_of(self.model)[1].requires_grad_(requires_grad=True)
        self.layout = set_layout(self.model, self.precision.memory_format)
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
        if self.config.compile:
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
        if self.config.freeze_stem is not None and epoch >= self.config.freeze_stem:
            self._freeze_stem()
        self.network.train()
        for module in self.model.modules():
            parameters = list(module.parameters())
            if parameters and not any(parameter.requires_grad for parameter in parameters):
                module.eval()

    def _freeze_stem(self) -> None:
        """Stop training the first layer and its norm; the backward pass skips them."""
        weights = [weight for layer in stem_of(self.model) for weight in layer.parameters()]
        if any(weight.requires_grad for weight in weights):
            for weight in weights:
                weight.requires_grad, weight.grad = False, None
            self.network = self._wrap()  # or other processes would wait for these gradients

    def step(self, images: Tensor, labels: Tensor, position: int) -> tuple[Tensor, Tensor]:
        """Forward, backward, update; returns logits [B, K] and the mean loss before the update.

        images: normalized float [B, 1, 28, 28]; labels: int64 [B] or float [B, K]; position: of
        the schedule after this step.
        """
        logits, loss = self.update(images.contiguous(memory_format=self.layout), labels)
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
            logits, labels, weight=self.class_weights, label_smoothing=self.config.label_smoothing
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


class MovingAverage(AveragedModel):
    """An exponential moving average of parameters and buffers, in two kernel launches per step.

    torch's own update moves its count of steps to the device each time, which makes the host wait
    for the device, and averages counters one by one.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        super().__init__(model, use_buffers=True)
        self._decay = decay

    @torch.no_grad()
    def update_parameters(self, model: nn.Module) -> None:
        """Move towards the weights of `model`; the first call takes them over."""
        averages = [*self.module.parameters(), *self.module.buffers()]
        pairs = list(zip(averages, [*model.parameters(), *model.buffers()], strict=True))
        moving = [pair for pair in pairs if pair[0].is_floating_point()]
        counts = [pair for pair in pairs if not pair[0].is_floating_point()]
        # The public functions take one tensor at a time; torch.optim uses these, too.
        old, new = (list(tensors) for tensors in zip(*moving, strict=True))
        torch._foreach_lerp_(old, new, 1 - self._decay if self.n_averaged else 1.0)
        if counts:
            old, new = (list(tensors) for tensors in zip(*counts, strict=True))
            torch._foreach_copy_(old, new)
        self.n_averaged += 1
