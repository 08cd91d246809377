"""Trying a user's own network leaves it as it was."""

import copy

import pytest
import torch
from torch import Tensor, nn

from fmnist_cli.errors import UsageError
from fmnist_cli.models import own


class Normed(nn.Module):
    """A batch norm, dropout, and a buffer that training replaces by a tensor with a gradient."""

    center: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Flatten(), nn.BatchNorm1d(784), nn.Dropout(0.5), nn.Linear(784, 10)
        )
        self.register_buffer("center", torch.zeros(10))

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.layers(images)
        if self.training:
            self.center = 0.9 * self.center + 0.1 * logits.mean(0)
        return logits - self.center


def test_trying_a_network_changes_no_weight_buffer_gradient_or_random_number() -> None:
    network = Normed()
    buffers = dict(network.named_buffers())
    state, random = copy.deepcopy(network.state_dict()), torch.get_rng_state()
    own.check(network, 10, "net.py:Normed")
    own.check_training(network, 10, "net.py:Normed")
    assert all(torch.equal(value, state[name]) for name, value in network.state_dict().items())
    assert all(buffer is buffers[name] for name, buffer in network.named_buffers())
    assert all(parameter.grad is None for parameter in network.parameters())
    assert torch.equal(torch.get_rng_state(), random)
    assert network.training


def test_a_network_without_gradients_classifies_but_does_not_train() -> None:
    network = Normed()
    network.register_forward_hook(lambda _module, _images, logits: logits.detach())
    own.check(network, 10, "net.py:Normed")
    with pytest.raises(UsageError, match="have no gradient"):
        own.check_training(network, 10, "net.py:Normed")
