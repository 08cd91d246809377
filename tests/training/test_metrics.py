"""The temperature that makes probabilities fit the labels."""

import pytest
import torch
from torch import Tensor, nn

from fmnist_cli.data.normalization import Normalization
from fmnist_cli.training.metrics import fit_temperature


class Fixed(nn.Module):
    """Gives a logit of each of the first ten pixels, times a factor."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, images: Tensor) -> Tensor:
        return self.factor * images[:, 0, 0, :10] * 8


def drawn(n: int) -> tuple[Tensor, Tensor]:
    """Random images with labels sampled from the probabilities of `Fixed(1)`."""
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (n, 28, 28), generator=generator, dtype=torch.uint8)
    probabilities = Fixed(1)(images[:, None] / 255).softmax(1)
    return images, torch.multinomial(probabilities, 1, generator=generator)[:, 0]


@pytest.mark.parametrize("factor", [0.25, 1, 3])
def test_it_undoes_a_factor(factor: float) -> None:
    images, labels = drawn(20_000)
    found = fit_temperature(Fixed(factor), images, labels, Normalization.RAW)
    assert found == pytest.approx(factor, rel=0.05)


def test_it_stays_finite_if_every_prediction_is_right_or_nothing_was_learned() -> None:
    images, labels = drawn(50)
    largest = images[:, 0, :10].argmax(1)
    assert 0.1 <= fit_temperature(Fixed(1), images, largest, Normalization.RAW) < 1
    assert fit_temperature(Fixed(0), images, labels, Normalization.RAW) <= 10
