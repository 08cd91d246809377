"""An average of a network's weights over training."""

import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel


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
