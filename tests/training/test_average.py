"""The average of the weights: torch's own, number for number."""

import copy

import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from fmnist_cli.training.average import MovingAverage


def moved(model: nn.Module) -> None:
    """Change weights and statistics, as a step of training does."""
    model.train()(torch.randn(16, 3, 4, 4))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter), alpha=0.1)


def test_it_is_torchs_and_goes_on_where_a_state_was_taken() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4))
    expected = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(0.9), use_buffers=True)  # type: ignore[no-untyped-call]
    average = MovingAverage(model, 0.9)
    for step in range(6):
        moved(model)
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
        else:  # a count of batches, of which there is no mean
            assert torch.equal(ours, trained[name])
    assert int(average.n_averaged) == 6
