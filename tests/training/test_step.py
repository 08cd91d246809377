"""What a step changes: not a frozen stem; the average of the weights as torch computes it."""

import copy
from typing import Any

import pytest
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from fmnist_cli import models
from fmnist_cli.training.processes import Process
from fmnist_cli.training.step import MovingAverage, TrainStep, stem_of
from tests.training.small import CPU, config


@pytest.mark.parametrize(
    ("network", "has_norm"),
    [("convnet-small", True), ("tutorial", False), ("wideresnet", True), ("resnet18", True)],
)
def test_a_frozen_stem_stays_as_it_is_while_the_rest_moves(network: str, has_norm: bool) -> None:
    narrow: dict[str, Any] = {"widths": (8, 8, 8), "blocks": 1} if network == "wideresnet" else {}
    model = models.build(network, **narrow)
    train_step = TrainStep(
        config(model=network, freeze_stem=1, optimizer="sgd"),
        model,
        device=CPU,
        process=Process(),
        class_weights=None,
        total_steps=4,
        steps_per_epoch=2,
    )
    first, last = nn.ModuleList(stem_of(model)), models.head_of(model)[1]
    assert isinstance(last, nn.Linear)
    assert [type(layer) for layer in first] == [nn.Conv2d, nn.BatchNorm2d][: 1 + has_norm]
    stem = {id(parameter) for parameter in first.parameters()}
    assert len(stem) < len(list(model.parameters()))
    images, labels = torch.rand(8, 1, 28, 28), torch.arange(8)

    def moved(epoch: int) -> set[int]:
        before = [parameter.detach().clone() for parameter in model.parameters()]
        buffers = [buffer.clone() for buffer in first.buffers()]
        train_step.train_mode(epoch)
        train_step.step(images, labels, epoch)
        assert epoch == 0 or all(map(torch.equal, buffers, first.buffers()))
        pairs = zip(before, model.parameters(), strict=True)
        return {id(now) for old, now in pairs if not torch.equal(old, now)}

    assert stem <= moved(0)
    later = moved(1)
    assert not stem & later
    assert id(last.weight) in later


def test_the_average_equals_torchs_and_resumes() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4))
    expected = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(0.9), use_buffers=True)  # type: ignore[no-untyped-call]
    average = MovingAverage(model, 0.9)
    for step in range(6):
        model.train()(torch.randn(16, 3, 4, 4))
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(torch.randn_like(parameter), alpha=0.1)
        expected.update_parameters(model)
        average.update_parameters(model)
        if step == 2:
            state = copy.deepcopy(average.state_dict())
            average = MovingAverage(model, 0.9)
            average.load_state_dict(state)
    trained = model.state_dict()
    for name, theirs in expected.module.state_dict().items():
        ours = average.module.state_dict()[name]
        if ours.is_floating_point():
            assert torch.equal(ours, theirs)
            assert not torch.equal(ours, trained[name])
        else:  # a count of batches, which is not averaged
            assert torch.equal(ours, trained[name])
    assert int(average.n_averaged) == 6
