"""The exported graph computes what the network computes in torch."""

import json
from dataclasses import replace
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
from fmnist_cli.checkpoints.metadata import ModelMetadata, NetworkRecord
from fmnist_cli.constants import CLASS_NAMES
from fmnist_cli.data.images import Images
from fmnist_cli.data.normalization import Normalization
from fmnist_cli.errors import CheckFailed, UsageError
from fmnist_cli.export.graph import build_graph
from fmnist_cli.export.parity import check_parity
from fmnist_cli.inference.loading import load
from fmnist_cli.inference.onnx_backend import OnnxClassifier
from fmnist_cli.inference.onnx_contract import DEFAULT_OPSET, IR_VERSIONS, OPSETS
from tests.sample_images import draw
from tests.training.small import assert_same
from tests.written_models import metadata, network, write_checkpoint, write_onnx

VISION = (
    *("resnet18", "mobilenet_v3_small", "shufflenet_v2_x0_5", "efficientnet_b0"),
    *("squeezenet1_1", "densenet121"),
)
QUICK = ("tutorial", "convnet")
NETWORKS = [
    *QUICK,
    *(
        pytest.param(name, marks=pytest.mark.proof)
        for name in (*models.NETWORKS, *VISION)
        if name not in QUICK
    ),
]


IMAGES: Images = np.random.default_rng(0).integers(0, 256, (5, 28, 28), dtype=np.uint8)
RAW = ModelMetadata(NetworkRecord("net"), Normalization.RAW)
STANDARD = replace(RAW, normalization=Normalization.STANDARD)


def compute(graph: onnx.ModelProto, *outputs: str) -> list[NDArray[Any]]:
    """Run a graph with ONNX's reference implementation, which shares no code with ONNX Runtime."""
    results = ReferenceEvaluator(graph).run(list(outputs), {"images": IMAGES})
    return [np.asarray(result) for result in results]


def torch_logits(
    model: nn.Module, recorded: ModelMetadata = RAW, images: Images = IMAGES
) -> torch.Tensor:
    with torch.inference_mode():
        logits: torch.Tensor = model(torch.from_numpy(recorded.normalization.apply(images)))
    return logits


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_agrees_with_torch_at_batch_1_7_and_256(name: str, tmp_path: Path) -> None:
    reference = load(write_checkpoint(tmp_path / "model.pt", name), device="cpu")
    exported = OnnxClassifier(write_onnx(tmp_path / "model.onnx", name), device="cpu")
    images = draw(257, "test").images
    check_parity(reference, exported, images[:20], "sample")
    check_parity(reference, exported, images, "sample", batch_sizes=[256])


@pytest.mark.parametrize("temperature", [pytest.param(None, marks=pytest.mark.proof), 1.7])
def test_onnx_defines_the_outputs(temperature: float | None) -> None:
    model, recorded = network("convnet"), replace(metadata("convnet"), temperature=temperature)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    graph = build_graph(model, recorded, logits=True)
    assert_same(model.state_dict(), before)
    probabilities, label, logits = compute(graph, "probabilities", "label", "logits")
    expected = torch_logits(model, recorded) / (temperature or 1)
    np.testing.assert_allclose(logits, expected.numpy(), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(probabilities, expected.softmax(1).numpy(), atol=1e-5)
    np.testing.assert_array_equal(label, expected.argmax(1))


@pytest.mark.parametrize("opset", [OPSETS[0], pytest.param(OPSETS[-1], marks=pytest.mark.proof)])
def test_tta_averages_over_mirror_images(opset: int) -> None:
    model = network("tutorial")
    graph = build_graph(model, RAW, tta=True, opset=opset)
    assert graph.opset_import[0].version == opset
    assert graph.ir_version == IR_VERSIONS[opset]
    (averaged,) = compute(graph, "probabilities")
    views = (IMAGES, IMAGES[:, :, ::-1])
    expected = sum(torch_logits(model, images=view).softmax(1).numpy() for view in views) / 2
    np.testing.assert_allclose(averaged, expected, atol=1e-5)


def test_the_file_describes_itself_and_names_no_path() -> None:
    graph = build_graph(network("tutorial"), metadata("tutorial"))
    properties = {prop.key: prop.value for prop in graph.metadata_props}
    assert json.loads(properties["fmnist"]) == metadata("tutorial").to_json()
    assert json.loads(properties["classes"]) == list(CLASS_NAMES)
    assert properties["network"] == "tutorial"
    assert graph.producer_name == "fmnist-cli"
    assert graph.opset_import[0].version == DEFAULT_OPSET
    assert graph.graph.input[0].type.tensor_type.shape.dim[0].dim_param == "N"
    assert b"site-packages" not in graph.SerializeToString()


def test_a_network_that_torch_cannot_export_is_an_error() -> None:
    class Branches(nn.Module):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            flat = images.flatten(1)
            return flat[:, :10] if float(flat.sum()) > 0 else flat[:, 10:20]

    with pytest.raises(CheckFailed, match="can't export this network"):
        build_graph(Branches(), RAW)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"opset": OPSETS[0] - 1}, "--opset"),
        ({"opset": OPSETS[-1] + 1}, "--opset"),
        ({"logits": True, "tta": True}, "--logits and --tta"),
    ],
)
def test_other_opsets_and_logits_of_an_average_are_refused(
    options: dict[str, int], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        build_graph(network(), RAW, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("sign", [1, -1])
def test_a_norm_moves_before_max_pooling_only_if_that_is_exact(sign: int) -> None:
    torch.manual_seed(0)
    norm = nn.BatchNorm2d(8).eval()
    nn.init.uniform_(norm.weight, 0.5, 1.5)
    with torch.no_grad():
        norm.weight[3] *= sign
    model = nn.Sequential(
        *(nn.Conv2d(1, 8, 3), nn.MaxPool2d(2), norm, nn.ReLU()),
        *(nn.Flatten(), nn.Linear(8 * 169, 10)),
    ).eval()
    graph = build_graph(model, STANDARD, logits=True)
    (logits,) = compute(graph, "logits")
    expected = torch_logits(model, STANDARD)
    np.testing.assert_allclose(logits, expected.numpy(), rtol=1e-4, atol=1e-4)
    kinds = {node.op_type for node in graph.graph.node}
    assert ("BatchNormalization" in kinds) == (sign < 0)
