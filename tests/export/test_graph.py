"""The graph that is written for each network, and that it computes what torch does."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from numpy.typing import NDArray
from onnx.reference import ReferenceEvaluator
from torch import nn

from fmnist_cli import models
from fmnist_cli.data.images import Images
from fmnist_cli.data.preparation import Preparation
from fmnist_cli.data.synthetic import draw
from fmnist_cli.errors import CheckFailed, UsageError
from fmnist_cli.export.graph import build_graph
from fmnist_cli.export.parity import check_parity
from fmnist_cli.facts import CLASS_NAMES
from fmnist_cli.inference.classifier import load
from fmnist_cli.inference.onnx_backend import open_classifier
from fmnist_cli.inference.onnx_contract import DEFAULT_OPSET, OPSETS
from tests.written_models import metadata, network, write_checkpoint, write_onnx

NETWORKS = [
    *models.NETWORKS,
    "resnet18",
    "mobilenet_v3_small",
    "shufflenet_v2_x0_5",
    "efficientnet_b0",
    "squeezenet1_1",
]


def random_images(count: int) -> Images:
    return np.random.default_rng(0).integers(0, 256, (count, 28, 28), dtype=np.uint8)


def compute(graph: onnx.ModelProto, images: Images, *outputs: str) -> list[NDArray[Any]]:
    """By ONNX's own reference implementation, which shares nothing with ONNX Runtime."""
    results = ReferenceEvaluator(graph).run(list(outputs), {"images": images})
    return [np.asarray(result) for result in results]


def operators(graph: onnx.ModelProto) -> Counter[str]:
    return Counter(node.op_type for node in graph.graph.node)


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
    graph = build_graph(network(name), Preparation.STANDARD, {})
    assert operators(graph)["BatchNormalization"] == 0


def test_the_tutorial_network_needs_no_node_beyond_its_layers() -> None:
    graph = build_graph(network("tutorial"), Preparation.RAW, {})
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


class Small(nn.Module):
    """A module under test between a convolution and a linear layer."""

    def __init__(self, middle: nn.Module, features: int, stem: nn.Module | None = None) -> None:
        super().__init__()
        self.stem = stem or nn.Conv2d(1, 8, 3, stride=2, padding=1)
        self.middle = middle
        self.flatten = nn.Flatten()
        self.head = nn.Linear(features, 10)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.head(self.flatten(self.middle(self.stem(images))))
        return logits


def assert_equal_to_torch(
    model: nn.Module, preparation: Preparation = Preparation.STANDARD, **options: Any
) -> onnx.ModelProto:
    model.eval()
    images = random_images(3)
    with torch.inference_mode():
        logits = model(torch.from_numpy(preparation.apply(images)))
        expected = logits.softmax(1).numpy()
    graph = build_graph(model, preparation, {}, **options)
    probabilities, label = compute(graph, images, "probabilities", "label")
    np.testing.assert_allclose(probabilities, expected, atol=1e-5)
    np.testing.assert_array_equal(label, expected.argmax(1))
    return graph


MIDDLES = {
    "gelu": (nn.GELU(), 8 * 196),
    "silu": (nn.SiLU(), 8 * 196),
    "sigmoid": (nn.Sigmoid(), 8 * 196),
    "relu6": (nn.ReLU6(), 8 * 196),
    "hardswish": (nn.Hardswish(), 8 * 196),
    "hardsigmoid": (nn.Hardsigmoid(), 8 * 196),
    "max-pool": (nn.MaxPool2d(3, stride=2, padding=1), 8 * 49),
    "max-pool rounded up": (nn.MaxPool2d(3, stride=2, ceil_mode=True), 8 * 49),
    "average pool": (nn.AvgPool2d(3, stride=2, padding=1), 8 * 49),
    "average pool without padding": (
        nn.AvgPool2d(3, stride=2, padding=1, count_include_pad=False),
        8 * 49,
    ),
    "adaptive pool to 1": (nn.AdaptiveAvgPool2d(1), 8),
    "adaptive pool that divides": (nn.AdaptiveAvgPool2d(7), 8 * 49),
    "adaptive pool that overlaps": (nn.AdaptiveAvgPool2d((5, 6)), 8 * 30),
    "adaptive pool that repeats": (nn.Sequential(nn.MaxPool2d(14), nn.AdaptiveAvgPool2d(3)), 72),
    "grouped, dilated convolution": (nn.Conv2d(8, 8, 3, groups=4, dilation=2, bias=False), 800),
    "even kernel, same size": (nn.Conv2d(8, 8, 4, padding="same"), 8 * 196),
    "batch norm after an activation": (nn.Sequential(nn.ReLU(), nn.BatchNorm2d(8)), 8 * 196),
    "identity": (nn.Sequential(nn.Identity(), nn.Dropout(0.5), nn.Dropout2d(0.5)), 8 * 196),
}


@pytest.mark.parametrize("opset", OPSETS)
@pytest.mark.parametrize("middle", MIDDLES)
def test_each_layer_computes_what_torch_does(middle: str, opset: int) -> None:
    torch.manual_seed(0)
    assert_equal_to_torch(Small(*MIDDLES[middle]), opset=opset)


class Shapes(nn.Module):
    """What torchvision's networks do with shapes and functions."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.full((1, 8, 1, 1), 0.5))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        batch, channels, height, width = x.size()
        shuffled = x.view(batch, 2, channels // 2, height, width).transpose(1, 2).contiguous()
        a, b = shuffled.view(batch, channels, height, width).chunk(2, dim=1)
        joined = torch.cat([a, b.relu()], 1) * self.scale + 0.25
        last = joined.permute(0, 2, 3, 1)
        normalised = nn.functional.layer_norm(last, (8,))
        return 1 - normalised.permute(0, 3, 1, 2).mean([2, 3]) / 2


def test_functions_and_arithmetic_on_shapes() -> None:
    torch.manual_seed(0)
    assert_equal_to_torch(Small(Shapes(), 8))


PREPARATIONS = [Preparation.RAW, Preparation.STANDARD, Preparation(0.5, 0.25)]


@pytest.mark.parametrize("preparation", PREPARATIONS)
def test_preparation_costs_nothing_where_nothing_is_padded(preparation: Preparation) -> None:
    torch.manual_seed(0)
    graph = assert_equal_to_torch(Small(nn.ReLU(), 8 * 676, nn.Conv2d(1, 8, 3)), preparation)
    assert not operators(graph).keys() & {"Add", "Mul"}


@pytest.mark.parametrize("preparation", PREPARATIONS)
def test_zero_padding_keeps_its_meaning(preparation: Preparation) -> None:
    torch.manual_seed(0)
    graph = assert_equal_to_torch(Small(nn.ReLU(), 8 * 196), preparation)
    assert operators(graph)["Mul"] == 0
    assert operators(graph)["Add"] == (preparation.mean != 0)


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
    build_graph(model, Preparation.STANDARD, {})
    for name, tensor in model.state_dict().items():
        assert tensor.dtype == before[name].dtype
        assert torch.equal(tensor, before[name])


def test_logits_are_added_on_request() -> None:
    model = network("tutorial")
    images = random_images(2)
    graph = build_graph(model, Preparation.RAW, {}, logits=True)
    assert [output.name for output in graph.graph.output] == ["probabilities", "logits", "label"]
    (logits,) = compute(graph, images, "logits")
    with torch.inference_mode():
        expected = model(torch.from_numpy(Preparation.RAW.apply(images)))
    np.testing.assert_allclose(logits, expected.numpy(), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("opset", [OPSETS[0], OPSETS[-1]])
def test_tta_averages_over_mirror_images(opset: int) -> None:
    model = network("tutorial")
    images = random_images(5)
    graph = build_graph(model, Preparation.RAW, {}, tta=True, opset=opset)
    (averaged,) = compute(graph, images, "probabilities")
    with torch.inference_mode():
        expected = [
            model(torch.from_numpy(Preparation.RAW.apply(view))).softmax(1).numpy()
            for view in (images, images[:, :, ::-1])
        ]
    np.testing.assert_allclose(averaged, sum(expected) / 2, atol=1e-5)


def test_the_file_is_described_in_itself() -> None:
    graph = build_graph(network("tutorial"), Preparation.RAW, metadata("tutorial"))
    properties = {prop.key: prop.value for prop in graph.metadata_props}
    assert json.loads(properties["fmnist"]) == metadata("tutorial")
    assert json.loads(properties["classes"]) == list(CLASS_NAMES)
    assert properties["network"] == "tutorial"
    assert graph.producer_name == "fmnist-cli"
    assert graph.opset_import[0].version == DEFAULT_OPSET
    assert graph.graph.input[0].type.tensor_type.shape.dim[0].dim_param == "N"


class Unknown(nn.Module):
    """Computes with an operator that no network of the project has."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.erfinv(x)


@pytest.mark.parametrize(
    ("middle", "named"),
    [
        (Unknown(), "erfinv"),
        (nn.LogSigmoid(), "LogSigmoid"),
        (nn.Conv2d(8, 8, 3, padding=1, padding_mode="reflect"), "padding_mode='reflect'"),
        (nn.AvgPool2d(2, divisor_override=3), "divisor_override"),
    ],
)
def test_what_can_not_be_written_is_named(middle: nn.Module, named: str) -> None:
    model = Small(middle, 8 * (49 if isinstance(middle, nn.AvgPool2d) else 196))
    with pytest.raises(CheckFailed, match=named):
        build_graph(model, Preparation.RAW, {})


@pytest.mark.parametrize("opset", [OPSETS[0] - 1, OPSETS[-1] + 1])
def test_other_opsets_are_refused(opset: int) -> None:
    with pytest.raises(UsageError, match="--opset"):
        build_graph(network(), Preparation.RAW, {}, opset=opset)


def test_logits_of_an_average_are_refused() -> None:
    with pytest.raises(UsageError, match="--logits and --tta"):
        build_graph(network(), Preparation.RAW, {}, logits=True, tta=True)
