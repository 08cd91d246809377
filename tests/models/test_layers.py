"""Dropout with cheap masks has dropout's statistics."""

import pytest
import torch

from fmnist_cli.models.layers import Dropout


@pytest.mark.parametrize("p", [0.1, 0.3, 0.5, 0.9])
def test_the_share_that_is_dropped_and_the_mean_that_is_kept(p: float) -> None:
    torch.manual_seed(0)
    features = torch.ones(400_000)
    dropped = Dropout(p)(features)
    # Three standard deviations of a share of 400,000 draws are below 0.0024; p is met within 1/512.
    assert float((dropped == 0).float().mean()) == pytest.approx(p, abs=0.0045)
    assert float(dropped.mean()) == pytest.approx(1.0, abs=0.02)
    assert len(dropped.unique()) == 2


def test_neighbours_are_independent() -> None:
    torch.manual_seed(0)
    dropped = (Dropout(0.5)(torch.ones(1_000, 800)) == 0).float() - 0.5
    for lag in (1, 2, 4, 8, 16):
        correlation = (dropped[:, lag:] * dropped[:, :-lag]).mean() / 0.25
        assert abs(float(correlation)) < 0.01


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_layout_dtype_and_gradient(dtype: torch.dtype) -> None:
    features = torch.randn(4, 8, 6, 6).to(dtype).to(memory_format=torch.channels_last)
    features.requires_grad_()
    dropped = Dropout(0.3)(features)
    assert dropped.dtype == dtype
    assert dropped.stride() == features.stride()
    dropped.sum().backward()
    assert features.grad is not None
    assert torch.equal(features.grad == 0, dropped == 0)


def test_odd_sizes_and_views() -> None:
    assert Dropout(0.5)(torch.ones(3)).shape == (3,)
    view = torch.ones(10, 10)[:, ::3]
    assert Dropout(0.5)(view).shape == view.shape


def test_evaluation_and_zero_probability_change_nothing() -> None:
    features = torch.randn(5)
    assert Dropout(0.3).eval()(features) is features
    assert Dropout(0.0)(features) is features
