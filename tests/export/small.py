"""Small networks around a layer, and what their graphs compute."""

from collections import Counter
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx.reference import ReferenceEvaluator
from torch import nn

from fmnist_cli.data.images import Images
from fmnist_cli.data.normalization import Normalization
from fmnist_cli.export.graph import build_graph


def random_images(count: int) -> Images:
    return np.random.default_rng(0).integers(0, 256, (count, 28, 28), dtype=np.uint8)


def compute(graph: onnx.ModelProto, images: Images, *outputs: str) -> list[NDArray[Any]]:
    """By ONNX's own reference implementation, which shares nothing with ONNX Runtime."""
    results = ReferenceEvaluator(graph).run(list(outputs), {"images": images})
    return [np.asarray(result) for result in results]


def operators(graph: onnx.ModelProto) -> Counter[str]:
    return Counter(node.op_type for node in graph.graph.node)


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
    model: nn.Module, normalization: Normalization = Normalization.STANDARD, **options: Any
) -> onnx.ModelProto:
    model.eval()
    images = random_images(3)
    with torch.inference_mode():
        logits = model(torch.from_numpy(normalization.apply(images)))
        expected = logits.softmax(1).numpy()
    graph = build_graph(model, normalization, {}, **options)
    probabilities, label = compute(graph, images, "probabilities", "label")
    np.testing.assert_allclose(probabilities, expected, atol=1e-5)
    np.testing.assert_array_equal(label, expected.argmax(1))
    return graph
