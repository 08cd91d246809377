"""Optimizers and schedules: torch's own, step for step, without what torch wraps around them."""

import copy
import math
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.optim import SGD, Adam, AdamW, Optimizer
from torch.optim.lr_scheduler import (
    ConstantLR,
    CosineAnnealingLR,
    LinearLR,
    LRScheduler,
    OneCycleLR,
    ReduceLROnPlateau,
    StepLR,
)

from fmnist_cli.training.optimizer import Schedule, build_optimizer
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


@pytest.mark.parametrize(
    ("name", "momentum", "kind"),
    [
        ("sgd", 0.9, partial(SGD, momentum=0.9, nesterov=True)),
        ("sgd", 0.0, SGD),
        ("adam", 0.9, Adam),
        ("adamw", 0.9, AdamW),
    ],
)
def test_steps_are_torchs_own_bit_for_bit(
    name: str, momentum: float, kind: Callable[..., Optimizer]
) -> None:
    torch.manual_seed(0)
    ours = TwoLayers()
    theirs = copy.deepcopy(ours)
    optimizer: Any = name
    config = TrainConfig(optimizer=optimizer, lr=0.1, weight_decay=0.01, momentum=momentum)
    groups = [
        {"params": [p for p in theirs.parameters() if p.dim() > 1], "weight_decay": 0.01},
        {"params": [p for p in theirs.parameters() if p.dim() == 1], "weight_decay": 0.0},
    ]
    expected = trained(theirs, kind(groups, lr=0.1, fused=True))
    assert torch.equal(trained(ours, build_optimizer(ours, config)), expected)


CURVES: dict[str, Callable[[Optimizer, int], LRScheduler]] = {
    "constant": lambda optimizer, steps: ConstantLR(optimizer, 1.0, steps),
    "step": lambda optimizer, steps: StepLR(optimizer, math.ceil(steps / 3), gamma=0.1),
    "cosine": CosineAnnealingLR,
    "linear": lambda optimizer, steps: LinearLR(optimizer, 1.0, 0.0, steps),
    "onecycle": lambda optimizer, steps: OneCycleLR(optimizer, 0.1, total_steps=steps + 1),
}


@pytest.mark.parametrize("name", CURVES)
@pytest.mark.parametrize("steps", [1, 3, 50])
def test_a_schedule_has_the_rates_and_momenta_of_torchs(name: str, steps: int) -> None:
    config, model = TrainConfig(schedule=name, lr=0.1), TwoLayers()  # type: ignore[arg-type]
    ours, theirs = build_optimizer(model, config), build_optimizer(model, config)
    schedule, expected = Schedule(ours, config, steps, steps), CURVES[name](theirs, steps)
    for position in range(1, steps + 1):
        theirs.step()
        expected.step()
        schedule.advance_to(position)
        for value in ("lr", "momentum"):
            found = ours.param_groups[0][value]
            assert found == pytest.approx(theirs.param_groups[0][value], abs=1e-12), position


def test_warmup_rises_to_the_peak_and_the_schedule_follows() -> None:
    config = TrainConfig(schedule="linear", lr=1.0, warmup=0.5)
    schedule = Schedule(build_optimizer(TwoLayers(), config), config, 16, 8)
    rates = []
    for position in range(17):
        schedule.advance_to(position)
        rates.append(schedule.lr)
    rising = [0.01 + 0.99 * step / 4 for step in range(4)]
    assert rates == pytest.approx(rising + [1 - step / 12 for step in range(13)])


def test_plateau_drops_when_torchs_does_and_goes_on_where_a_state_was_taken() -> None:
    config, model = TrainConfig(schedule="plateau", lr=0.1), TwoLayers()
    theirs = build_optimizer(model, config)
    expected = ReduceLROnPlateau(theirs, "max", factor=0.3, patience=2)
    state = None
    for accuracy in (0.5, 0.6, 0.6, 0.60001, 0.5, 0.7, 0.7, 0.7, 0.7, 0.8, 0.1, 0.1, 0.1, 0.1):
        schedule = Schedule(build_optimizer(model, config), config, 100, 10)
        if state is not None:
            schedule.load_state_dict(state)
        schedule.end_epoch(accuracy)
        expected.step(accuracy)
        state = schedule.state_dict()
        assert schedule.lr == pytest.approx(theirs.param_groups[0]["lr"])
    assert schedule.lr == pytest.approx(0.1 * 0.3**3)


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
