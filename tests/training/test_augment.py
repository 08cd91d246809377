"""Each augmentation does to an image what its name says, and no more."""

from itertools import product

import numpy as np
import pytest
import torch
from torch import Tensor

from fmnist_cli.errors import UsageError
from fmnist_cli.training.augment import AUGMENTATIONS, Draws, parse

N = 512


def draws(epoch: int = 0, seed: int = 0) -> Draws:
    generator = torch.Generator().manual_seed(seed)
    return Draws(seed, generator, N, slice(0, N), epoch, torch.arange(N), 10)


def apply(name: str, images: Tensor, epoch: int = 0, seed: int = 0) -> tuple[Tensor, Tensor]:
    labels = torch.arange(N) % 10
    drawn = draws(epoch, seed)
    for augment in parse(name):
        images, labels = augment(images, labels, drawn)
    return images, labels


@pytest.fixture
def images() -> Tensor:
    """Noise on black, with a margin that shifts and turns can use."""
    generator = torch.Generator().manual_seed(1)
    noise = torch.zeros(N, 1, 28, 28)
    noise[:, :, 6:22, 6:22] = torch.rand(N, 1, 16, 16, generator=generator)
    return noise


def changed(before: Tensor, after: Tensor) -> float:
    return float((before != after).flatten(1).any(1).float().mean())


def test_flip_mirrors_its_share(images: Tensor) -> None:
    flipped, _ = apply("flip:0.3", images)
    assert changed(images, flipped) == pytest.approx(0.3, abs=0.07)
    mirrored = (flipped != images).flatten(1).any(1)
    assert torch.equal(flipped[mirrored], images[mirrored].flip(3))
    assert torch.equal(apply("flip:0", images)[0], images)
    assert torch.equal(apply("flip:1", images)[0], images.flip(3))


def test_alternating_flip_shows_each_image_both_ways(images: Tensor) -> None:
    even, odd = apply("altflip", images, epoch=0)[0], apply("altflip", images, epoch=1)[0]
    assert torch.equal(even.flip(3), odd)
    assert changed(images, even) == pytest.approx(0.5, abs=0.08)
    assert torch.equal(apply("altflip", images, epoch=2, seed=9)[0], even)


def test_shift_moves_whole_pixels_within_its_bound(images: Tensor) -> None:
    shifted, _ = apply("shift:2", images)
    offsets = set()
    for before, after in zip(images[:200, 0], shifted[:200, 0], strict=True):
        pairs = product(range(-2, 3), repeat=2)
        (offset,) = (p for p in pairs if torch.equal(torch.roll(before, p, (0, 1)), after))
        offsets.add(offset)
    assert len(offsets) == 25


def test_rotation_turns_and_keeps_the_mass(images: Tensor) -> None:
    turned, _ = apply("rotate:30", images)
    assert changed(images, turned) > 0.95
    assert float(turned.sum() / images.sum()) == pytest.approx(1, abs=0.02)
    quarter = torch.zeros_like(images)
    quarter[:, :, 10:18, 13:15] = 1  # an upright bar
    wide = apply("rotate:30", quarter)[0].amax(2).sum((1, 2))
    assert float(wide.max()) > 3  # leans over


def test_zoom_changes_the_area_both_ways() -> None:
    square = torch.zeros(N, 1, 28, 28)
    square[:, :, 9:19, 9:19] = 1
    area = apply("zoom:0.2", square)[0].sum((1, 2, 3))
    assert float(area.min()) == pytest.approx(100 / 1.44, rel=0.05)
    assert float(area.max()) == pytest.approx(100 * 1.44, rel=0.05)


def test_erasing_fills_one_rectangle_in_its_share(images: Tensor) -> None:
    erased, _ = apply("erase:0.5", images)
    assert changed(images, erased) == pytest.approx(0.5, abs=0.08)
    for before, after in zip(images[:, 0], erased[:, 0], strict=True):
        rows, columns = torch.nonzero(before != after, as_tuple=True)
        if len(rows):
            inside = after[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
            assert len(inside.unique()) == 1


@pytest.mark.parametrize("name", ["mixup:0.4", "cutmix:1"])
def test_mixing_keeps_labels_and_pixels_in_step(name: str, images: Tensor) -> None:
    constant = (torch.arange(N) % 10).float().view(N, 1, 1, 1).expand(N, 1, 28, 28) / 10
    mixed, labels = apply(name, constant.contiguous())
    assert labels.shape == (N, 10)
    assert torch.allclose(labels.sum(1), torch.ones(N))
    # An image of class k is k/10 everywhere, so its mean is what its label expects.
    expected = (labels * torch.arange(10) / 10).sum(1)
    assert torch.allclose(mixed.mean((1, 2, 3)), expected, atol=1e-5)
    assert not torch.equal(mixed, constant)


def test_images_stay_images(images: Tensor) -> None:
    for name in AUGMENTATIONS:
        augmented, _ = apply(name, images)
        assert augmented.shape == images.shape
        assert augmented.dtype == torch.float32
        assert float(augmented.min()) >= 0
        assert float(augmented.max()) <= 1 + 1e-5


def test_a_chain_is_read_in_order_with_defaults() -> None:
    assert parse("none") == parse("") == ()
    chain = parse("flip, shift:3")
    assert [each.args for each in chain] == [(0.5,), (3,)]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("flop", "did you mean 'flip'"),
        ("flip:2", "0 to 1"),
        ("shift:x", "out of range"),
        ("shift:nan", "out of range"),
        ("flip,,erase", "no augmentation is called ''"),
    ],
)
def test_a_wrong_chain_is_refused(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        parse(text)


def test_beta_is_the_batchs_and_has_the_right_mean() -> None:
    ratios = [draws(seed=seed).beta(0.4) for seed in range(400)]
    assert draws(seed=5).beta(0.4) == ratios[5]
    assert np.mean(ratios) == pytest.approx(0.5, abs=0.06)
