"""Optimizers: torch's own, step for step, without what torch wraps around them."""

import copy
import subprocess
import sys
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.optim import SGD, Adam, AdamW, Optimizer

from fmnist_cli.training.optimizer import build_optimizer
from fmnist_cli.training.options import TrainConfig


class TwoLayers(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Linear(20, 30)
        self.head = nn.Linear(30, 10)

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.head(self.body(images).relu())
        return logits


def trained(model: nn.Module, optimizer: Optimizer) -> Tensor:
    """All weights after ten steps, with the state taken and given back half-way."""
    random = torch.Generator().manual_seed(1)
    for step in range(10):
        optimizer.zero_grad()
        images = torch.randn(8, 20, generator=random)
        model(images).square().mean().backward()
        optimizer.step()
        if step == 5:
            optimizer.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    return nn.utils.parameters_to_vector(model.parameters()).detach()


def by_torch(name: str, groups: list[dict[str, Any]], momentum: float) -> Optimizer:
    match name:
        case "sgd":
            return SGD(groups, 0.1, momentum, nesterov=True, fused=True)
        case "adam":
            return Adam(groups, 0.1, fused=True)
    return AdamW(groups, 0.1, fused=True)


@pytest.mark.parametrize("name", ["sgd", "adam", "adamw"])
def test_steps_are_torchs_own_bit_for_bit(name: str) -> None:
    torch.manual_seed(0)
    ours = TwoLayers()
    theirs = copy.deepcopy(ours)
    config = TrainConfig.from_dict({"optimizer": name, "lr": 0.1, "weight_decay": 0.01})
    groups = [
        {"params": [p for p in theirs.parameters() if p.dim() > 1], "weight_decay": 0.01},
        {"params": [p for p in theirs.parameters() if p.dim() == 1], "weight_decay": 0.0},
    ]
    expected = trained(theirs, by_torch(name, groups, config.momentum))
    assert torch.equal(trained(ours, build_optimizer(ours, config)), expected)


def test_training_imports_no_compiler(tmp_path: object) -> None:
    code = (
        "import sys\n"
        "from fmnist_cli.training.recipes import configure\n"
        "from fmnist_cli.training.run import train\n"
        "config = configure(recipe='fast', data='sample:300', val_size=50, epochs=1)\n"
        "for _ in train(config, output='model.pt', run_dir='run'): pass\n"
        "sys.exit('torch._dynamo' in sys.modules and 'the compiler was imported' or 0)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=str(tmp_path), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
