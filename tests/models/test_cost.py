import pytest
from torch import nn

from fmnist_cli import models
from fmnist_cli.models import cost
from fmnist_cli.models.cost import count_macs


def test_counts_convolutions_and_linear_layers_of_the_tutorial_network() -> None:
    first = 24 * 24 * 32 * 5 * 5
    second = 8 * 8 * 64 * 32 * 5 * 5
    linear = 64 * 4 * 4 * 512 + 512 * 10
    assert count_macs(models.build("tutorial")) == first + second + linear


@pytest.mark.parametrize("name", [*models.NETWORKS, "resnet18", "mobilenet_v2"])
def test_counts_by_layers_what_torch_counts(name: str) -> None:
    network = models.build(name).eval()
    assert cost._count_by_layers(network) == cost._count_by_torch(network) == count_macs(network)


def test_attention_is_counted_by_torch() -> None:
    block = nn.Sequential(
        nn.Flatten(1), nn.Unflatten(1, (28, 28)), nn.TransformerEncoderLayer(28, 4, 16)
    )
    assert count_macs(block) == cost._count_by_torch(block)
    assert cost._count_by_torch(block) > cost._count_by_layers(block)


def test_leaves_the_network_as_it_was() -> None:
    model = models.build("tutorial").train()
    count_macs(model)
    assert model.training
    assert {parameter.device.type for parameter in model.parameters()} == {"cpu"}
