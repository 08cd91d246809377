"""The operations of training on a CPU give the results, or the statistics, of torch's own."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from fmnist_cli.models import layers
from fmnist_cli.models.layers import pooled_convolution, rectified_dropout
from fmnist_cli.models.tutorial import TutorialNet


@pytest.mark.parametrize("p", [0.1, 0.3, 0.5, 0.9])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_share_that_is_dropped_and_the_mean_that_is_kept(p: float, dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    dropped = rectified_dropout(torch.ones(400_000, dtype=dtype), p).float()
    # Three standard deviations of a share of 400,000 draws are below 0.0024; p is met within 1/512.
    assert float((dropped == 0).float().mean()) == pytest.approx(p, abs=0.0045)
    assert float(dropped.mean()) == pytest.approx(1.0, abs=0.02)
    assert len(dropped.unique()) == 2  # type: ignore[no-untyped-call]


def test_neighbors_are_independent() -> None:
    torch.manual_seed(0)
    dropped = (rectified_dropout(torch.ones(1_000, 800), 0.5) == 0).float() - 0.5
    for lag in (1, 2, 4, 8, 16):
        correlation = (dropped[:, lag:] * dropped[:, :-lag]).mean() / 0.25
        assert abs(float(correlation)) < 0.01


def test_torchs_seed_decides_what_is_dropped() -> None:
    features = torch.ones(1_000)

    def drop(seed: int) -> Tensor:
        torch.manual_seed(seed)
        return torch.stack([rectified_dropout(features, 0.5), rectified_dropout(features, 0.5)])

    first, again, other = drop(1), drop(1), drop(2)
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert not torch.equal(first[0], first[1])


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_layout_dtype_and_gradient(dtype: torch.dtype, layout: torch.memory_format) -> None:
    features = torch.randn(4, 8, 6, 6).to(dtype).to(memory_format=torch.channels_last)
    features.requires_grad_()
    dropped = rectified_dropout(features, 0.5)
    assert dropped.dtype == dtype
    assert dropped.stride() == features.stride()
    assert torch.equal(dropped, torch.where(dropped > 0, features * 2, 0))
    gradient = torch.randn(4, 8, 6, 6).to(dtype).to(memory_format=layout)
    dropped.backward(gradient)  # type: ignore[no-untyped-call]
    assert features.grad is not None
    assert torch.equal(features.grad, torch.where(dropped > 0, gradient * 2, 0))


def test_odd_sizes_views_and_the_ends_of_the_probability() -> None:
    assert rectified_dropout(torch.ones(3), 0.5).shape == (3,)
    view = torch.ones(10, 10)[:, ::3]
    assert rectified_dropout(view, 0.5).shape == view.shape
    features = torch.randn(500)
    assert torch.equal(rectified_dropout(features, 0.0), features.relu())
    assert not rectified_dropout(features, 1.0).any()


def _pooled_by_torch(conv: nn.Conv2d, images: Tensor) -> Tensor:
    return functional.max_pool2d(conv(images), 2)


@pytest.mark.parametrize("size", [3, 5])
def test_pooled_convolution_is_a_convolution_and_its_pooling(size: int) -> None:
    torch.manual_seed(0)
    conv = nn.Conv2d(1, 8, size).to(memory_format=torch.channels_last)
    # Few different values, so that the largest of four often stands there twice.
    images = torch.randint(0, 2, (5, 1, 12, 12)).float()
    ours, theirs = pooled_convolution(conv, images), _pooled_by_torch(conv, images)
    torch.testing.assert_close(ours, theirs)
    gradient = torch.randn_like(theirs)
    parameters = list(conv.parameters())
    for mine, torchs in zip(
        torch.autograd.grad(ours, parameters, gradient, retain_graph=True),
        torch.autograd.grad(theirs, parameters, gradient),
        strict=True,
    ):
        torch.testing.assert_close(mine, torchs, rtol=1e-4, atol=1e-4)
    assert torch.autograd.grad(ours, conv.weight, gradient)[0].stride() == conv.weight.stride()


def test_of_equal_results_the_first_gets_the_gradient() -> None:
    conv = nn.Conv2d(1, 1, 3)
    with torch.no_grad():
        conv.weight.zero_()[0, 0, 0, 0] = 1.0  # each result is the pixel at its upper left corner
    image = torch.tensor([[1.0, 2.0], [2.0, 2.0]]).repeat(2, 2)
    for pixels in (image, torch.ones(4, 4)):
        images = pixels[None, None]
        ours, theirs = pooled_convolution(conv, images), _pooled_by_torch(conv, images)
        mine, torchs = (torch.autograd.grad(y.sum(), conv.weight)[0] for y in (ours, theirs))
        torch.testing.assert_close(mine, torchs)


def test_in_bf16_both_are_as_near_to_fp32() -> None:
    torch.manual_seed(0)
    conv = nn.Conv2d(1, 32, 5)
    images = torch.rand(64, 1, 28, 28)
    gradient = torch.randn(64, 32, 12, 12)

    def gradients(reduced: bool, ours: bool) -> Tensor:
        with torch.autocast("cpu", torch.bfloat16, enabled=reduced):
            pooled = pooled_convolution(conv, images) if ours else _pooled_by_torch(conv, images)
        assert pooled.dtype == (torch.bfloat16 if reduced else torch.float32)
        found = torch.autograd.grad(pooled.float(), list(conv.parameters()), gradient)
        return torch.cat([part.flatten() for part in found])

    exact = gradients(reduced=False, ours=False)
    mine, torchs = (gradients(reduced=True, ours=way) - exact for way in (True, False))
    assert float(mine.norm()) < 1.2 * float(torchs.norm())


def test_the_tutorial_network_trains_alike_by_either_way(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    model = TutorialNet(dropout=0.0).to(memory_format=torch.channels_last).train()
    images, labels = torch.rand(8, 1, 28, 28), torch.arange(8)

    def gradients() -> list[Tensor]:
        loss = functional.cross_entropy(model(images), labels)
        return list(torch.autograd.grad(loss, list(model.parameters())))

    fast = gradients()
    monkeypatch.setattr("fmnist_cli.models.tutorial.can_train_fast", lambda _images: False)
    for mine, torchs in zip(fast, gradients(), strict=True):
        torch.testing.assert_close(mine, torchs, rtol=1e-4, atol=1e-6)


def test_torch_compile_gets_torchs_own_operations(monkeypatch: pytest.MonkeyPatch) -> None:
    assert layers.can_train_fast(torch.ones(1))
    monkeypatch.setattr(torch.compiler, "is_compiling", lambda: True)
    assert not layers.can_train_fast(torch.ones(1))
