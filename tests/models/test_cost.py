from fmnist_cli import models
from fmnist_cli.models.cost import count_macs


def test_counts_convolutions_and_linear_layers_of_the_tutorial_network() -> None:
    first = 24 * 24 * 32 * 5 * 5
    second = 8 * 8 * 64 * 32 * 5 * 5
    linear = 64 * 4 * 4 * 512 + 512 * 10
    assert count_macs(models.build("tutorial")) == first + second + linear


def test_leaves_the_network_as_it_was() -> None:
    model = models.build("tutorial").train()
    count_macs(model)
    assert model.training
    assert {parameter.device.type for parameter in model.parameters()} == {"cpu"}
