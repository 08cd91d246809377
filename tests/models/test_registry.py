"""Networks by name: they take the data set's images and name their last layer."""

import pytest
import torch
from torch import nn

from fmnist_cli import models
from fmnist_cli.errors import UsageError
from fmnist_cli.models import vision

VISION = ("resnet18", "mobilenet_v3_small")
FAMILIES = (*VISION, "densenet121", "efficientnet_b0", "shufflenet_v2_x0_5", "squeezenet1_1")
"""One network of several families; the others are proved."""


@pytest.mark.parametrize("name", [*models.NETWORKS, *VISION])
def test_a_network_gives_ten_logits_from_its_head(name: str) -> None:
    network = models.build(name).eval()
    logits = network(torch.randn(2, 1, 28, 28))
    assert logits.shape == (2, 10)
    head = models.head_of(network)[1]
    assert isinstance(head, nn.Linear)
    seen = []
    head.register_forward_hook(lambda _module, _inputs, output: seen.append(output))
    assert torch.equal(network(torch.randn(2, 1, 28, 28)), seen[0])


def test_a_mirroring_network_averages_the_logits_of_both_sides() -> None:
    plain, mirroring = models.build("convnet").eval(), models.build("convnet", mirror=True).eval()
    mirroring.load_state_dict(plain.state_dict())
    images = torch.randn(3, 1, 28, 28)
    expected = (plain(images) + plain(images.flip(3))) / 2
    assert torch.allclose(mirroring(images), expected, atol=1e-6)
    assert torch.allclose(mirroring(images), mirroring(images.flip(3)), atol=1e-6)
    assert not torch.allclose(mirroring(images), plain(images), atol=1e-3)


def test_the_tutorial_network_is_the_courses() -> None:
    network = models.build("tutorial")
    assert models.count_parameters(network) == 582_026
    assert list(network.state_dict()) == [
        *("conv.0.weight", "conv.0.bias", "conv.4.weight", "conv.4.bias"),
        *("fc.0.weight", "fc.0.bias", "fc.2.weight", "fc.2.bias"),
    ]


@pytest.mark.parametrize("name", VISION)
def test_the_stem_of_a_vision_network_keeps_the_picture(name: str) -> None:
    network = models.build(name)
    stem = next(module for module in network.modules() if isinstance(module, nn.Conv2d))
    assert stem.in_channels == 1
    assert stem(torch.randn(1, 1, 28, 28)).shape[2:] == (28, 28)


@pytest.mark.parametrize(
    "name",
    [
        name if name in FAMILIES else pytest.param(name, marks=pytest.mark.proof)
        for name in vision.names()
    ],
)
def test_every_vision_network_that_is_offered_trains_and_loads(name: str) -> None:
    with torch.device("meta"):  # as a checkpoint is loaded; nothing is computed
        network = models.build(name).train()
        assert network(torch.empty(2, 1, 28, 28)).shape == (2, 10)


def test_an_unknown_network_is_answered_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="did you mean 'tutorial'"):
        models.build("tutoriel")
    with pytest.raises(UsageError, match="did you mean 'resnet18'"):
        models.build("resnet_18")


def test_an_option_that_a_network_lacks_is_named() -> None:
    with pytest.raises(UsageError, match="'resnet18' has no option --dropout"):
        models.build("resnet18", dropout=0.1)


def test_a_network_without_a_linear_layer_has_no_known_head() -> None:
    with pytest.raises(UsageError, match="no linear layer"):
        models.head_of(models.build("squeezenet1_1"))
