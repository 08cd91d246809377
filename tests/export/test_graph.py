"""The graph that is written for each network, and that it computes what torch does."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from fmnist_cli import models
from fmnist_cli.constants import CLASS_NAMES
from fmnist_cli.data.normalization import Normalization
from fmnist_cli.data.synthetic import draw
from fmnist_cli.errors import UsageError
from fmnist_cli.export.graph import build_graph
from fmnist_cli.export.parity import check_parity
from fmnist_cli.inference.loading import load
from fmnist_cli.inference.onnx_backend import open_classifier
from fmnist_cli.inference.onnx_contract import DEFAULT_OPSET, OPSETS
from tests.export.small import Small, assert_equal_to_torch, compute, operators, random_images
from tests.written_models import metadata, network, write_checkpoint, write_onnx

NETWORKS = [
    *(name for name in models.NETWORKS if name != "wideresnet"),
    pytest.param("wideresnet", marks=pytest.mark.proof),  # takes as long as all others together
    "resnet18",
    "mobilenet_v3_small",
    "shufflenet_v2_x0_5",
    "efficientnet_b0",
    "squeezenet1_1",
]


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_agrees_with_torch_at_batch_1_7_and_256(name: str, tmp_path: Path) -> None:
    reference = load(write_checkpoint(tmp_path / "model.pt", name), device="cpu")
    exported = open_classifier(
        write_onnx(tmp_path / "model.onnx", name), device="cpu", threads=None
    )
    images = draw(257, "test").images
    check_parity(reference, exported, images[:20], "drawn")
    check_parity(reference, exported, images, "drawn", batch_sizes=[256])


@pytest.mark.parametrize("name", NETWORKS)
def test_no_batch_norm_that_follows_a_convolution_is_left(name: str) -> None:
    graph = build_graph(network(name), Normalization.STANDARD, {})
    assert operators(graph)["BatchNormalization"] == 0


def test_the_tutorial_network_needs_no_node_beyond_its_layers() -> None:
    graph = build_graph(network("tutorial"), Normalization.RAW, {})
    assert operators(graph) == {
        "Unsqueeze": 1,
        "Cast": 1,
        "Conv": 2,
        "MaxPool": 2,
        "Relu": 3,
        "Flatten": 1,
        "Gemm": 2,
        "Softmax": 1,
        "ArgMax": 1,
    }


NORMALIZATIONS = [Normalization.RAW, Normalization.STANDARD, Normalization(0.5, 0.25)]


@pytest.mark.parametrize("normalization", NORMALIZATIONS)
def test_preparation_costs_nothing_where_nothing_is_padded(normalization: Normalization) -> None:
    torch.manual_seed(0)
    graph = assert_equal_to_torch(Small(nn.ReLU(), 8 * 676, nn.Conv2d(1, 8, 3)), normalization)
    assert not operators(graph).keys() & {"Add", "Mul"}


@pytest.mark.parametrize("normalization", NORMALIZATIONS)
def test_zero_padding_keeps_its_meaning(normalization: Normalization) -> None:
    torch.manual_seed(0)
    graph = assert_equal_to_torch(Small(nn.ReLU(), 8 * 196), normalization)
    assert operators(graph)["Mul"] == 0
    assert operators(graph)["Add"] == (normalization.mean != 0)


def test_preparation_of_pixels_that_go_to_several_places() -> None:
    class Doubled(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = nn.Conv2d(1, 4, 3, padding=1), nn.Conv2d(1, 4, 3, padding=1)
            self.head = nn.Linear(8, 10)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            both = torch.cat([self.a(x), self.b(x)], dim=1)
            logits: torch.Tensor = self.head(both.mean((2, 3)))
            return logits

    torch.manual_seed(0)
    graph = assert_equal_to_torch(Doubled())
    assert operators(graph)["Mul"] == 1


def test_preparation_before_a_linear_layer() -> None:
    torch.manual_seed(0)
    graph = assert_equal_to_torch(nn.Sequential(nn.Flatten(), nn.Linear(784, 10, bias=False)))
    assert set(operators(graph)) == {
        *("Unsqueeze", "Cast", "Flatten", "Gemm", "Softmax", "ArgMax"),
    }


@pytest.mark.parametrize("sign", [1, -1])
def test_batch_norm_moves_before_max_pooling_only_where_that_is_exact(sign: int) -> None:
    torch.manual_seed(0)
    norm = nn.BatchNorm2d(8)
    nn.init.uniform_(norm.weight, 0.5, 1.5)
    with torch.no_grad():
        norm.weight[3] *= sign
    graph = assert_equal_to_torch(Small(nn.Sequential(nn.MaxPool2d(2), norm), 8 * 49))
    assert operators(graph)["BatchNormalization"] == (sign < 0)


def test_a_convolution_that_two_norms_share_is_left_alone() -> None:
    class Shared(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.a, self.b = nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.BatchNorm2d(4)
            self.head = nn.Linear(4, 10)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            y = self.conv(x)
            logits: torch.Tensor = self.head((self.a(y) + self.b(y)).mean((2, 3)))
            return logits

    torch.manual_seed(0)
    model = Shared()
    nn.init.uniform_(model.a.weight, 0.5, 1.5)
    assert operators(assert_equal_to_torch(model))["BatchNormalization"] == 2


def test_the_model_that_was_exported_is_unchanged() -> None:
    model = network("convnet")
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    build_graph(model, Normalization.STANDARD, {})
    for name, tensor in model.state_dict().items():
        assert tensor.dtype == before[name].dtype
        assert torch.equal(tensor, before[name])


def test_logits_are_added_on_request() -> None:
    model = network("tutorial")
    images = random_images(2)
    graph = build_graph(model, Normalization.RAW, {}, logits=True)
    assert [output.name for output in graph.graph.output] == ["probabilities", "logits", "label"]
    (logits,) = compute(graph, images, "logits")
    with torch.inference_mode():
        expected = model(torch.from_numpy(Normalization.RAW.apply(images)))
    np.testing.assert_allclose(logits, expected.numpy(), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("opset", [OPSETS[0], OPSETS[-1]])
def test_tta_averages_over_mirror_images(opset: int) -> None:
    model = network("tutorial")
    images = random_images(5)
    graph = build_graph(model, Normalization.RAW, {}, tta=True, opset=opset)
    (averaged,) = compute(graph, images, "probabilities")
    with torch.inference_mode():
        expected = [
            model(torch.from_numpy(Normalization.RAW.apply(view))).softmax(1).numpy()
            for view in (images, images[:, :, ::-1])
        ]
    np.testing.assert_allclose(averaged, sum(expected) / 2, atol=1e-5)


def test_the_file_is_described_in_itself() -> None:
    graph = build_graph(network("tutorial"), Normalization.RAW, metadata("tutorial").to_json())
    properties = {prop.key: prop.value for prop in graph.metadata_props}
    assert json.loads(properties["fmnist"]) == metadata("tutorial").to_json()
    assert json.loads(properties["classes"]) == list(CLASS_NAMES)
    assert properties["network"] == "tutorial"
    assert graph.producer_name == "fmnist-cli"
    assert graph.opset_import[0].version == DEFAULT_OPSET
    assert graph.graph.input[0].type.tensor_type.shape.dim[0].dim_param == "N"


@pytest.mark.parametrize("opset", [OPSETS[0] - 1, OPSETS[-1] + 1])
def test_other_opsets_are_refused(opset: int) -> None:
    with pytest.raises(UsageError, match="--opset"):
        build_graph(network(), Normalization.RAW, {}, opset=opset)


def test_logits_of_an_average_are_refused() -> None:
    with pytest.raises(UsageError, match="--logits and --tta"):
        build_graph(network(), Normalization.RAW, {}, logits=True, tta=True)
