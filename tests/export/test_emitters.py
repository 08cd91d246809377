"""Each layer's form in ONNX computes what torch does; what has none is refused by name."""

import pytest
import torch
from torch import nn

from fmnist_cli.data.normalization import Normalization
from fmnist_cli.errors import CheckFailed
from fmnist_cli.export.graph import build_graph
from fmnist_cli.inference.onnx_contract import OPSETS
from tests.export.small import Small, assert_equal_to_torch

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
        normalized = nn.functional.layer_norm(last, (8,))
        return 1 - normalized.permute(0, 3, 1, 2).mean([2, 3]) / 2


def test_functions_and_arithmetic_on_shapes() -> None:
    torch.manual_seed(0)
    assert_equal_to_torch(Small(Shapes(), 8))


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
        build_graph(model, Normalization.RAW, {})
