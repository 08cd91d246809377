"""Layers with weights, and layers that inference leaves out."""

# ruff: noqa: ARG001 - an emitter takes the arguments that torch's own function takes

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional

from fmnist_cli.export.emitters.registry import emits_functions, emits_modules, unsupported
from fmnist_cli.export.writer import Tensor, Writer


@emits_modules(nn.Conv2d)
def _conv(w: Writer, conv: nn.Conv2d, x: Tensor) -> str:
    if conv.padding_mode != "zeros":
        raise unsupported(f"Conv2d with padding_mode='{conv.padding_mode}'")
    parameters = [w.parameter("weight", conv.weight)]
    if conv.bias is not None:
        parameters.append(w.parameter("bias", conv.bias))
    return w.node(
        "Conv",
        x.name,
        *parameters,
        kernel_shape=list(conv.kernel_size),
        strides=list(conv.stride),
        pads=conv_pads(conv),
        dilations=list(conv.dilation),
        group=conv.groups,
    )


def conv_pads(conv: nn.Conv2d) -> list[int]:
    """Rows and columns of zeros around the image: [top, left, bottom, right]."""
    if conv.padding == "valid":
        return [0, 0, 0, 0]
    if conv.padding == "same":
        totals = [d * (k - 1) for d, k in zip(conv.dilation, conv.kernel_size, strict=True)]
        return [total // 2 for total in totals] + [total - total // 2 for total in totals]
    return [int(size) for size in conv.padding] * 2


@emits_modules(nn.Linear)
def _linear(w: Writer, linear: nn.Linear, x: Tensor) -> str:
    bias = [] if linear.bias is None else [w.parameter("bias", linear.bias)]
    if len(x.shape) == 2:
        return w.node("Gemm", x.name, w.parameter("weight", linear.weight), *bias, transB=1)
    product = w.node("MatMul", x.name, w.parameter("weight_transposed", linear.weight.T))
    return w.node("Add", product, *bias) if bias else product


@emits_modules(nn.BatchNorm2d)
def _batch_norm(w: Writer, norm: nn.BatchNorm2d, x: Tensor) -> str:
    """One that follows no convolution; the others are folded before this is reached."""
    if norm.running_mean is None or norm.running_var is None:
        raise unsupported("BatchNorm2d without running statistics")
    ones = torch.ones_like(norm.running_mean)
    return w.node(
        "BatchNormalization",
        x.name,
        w.parameter("weight", ones if norm.weight is None else norm.weight),
        w.parameter("bias", 0 * ones if norm.bias is None else norm.bias),
        w.parameter("running_mean", norm.running_mean),
        w.parameter("running_var", norm.running_var),
        epsilon=norm.eps,
    )


@emits_functions(functional.layer_norm)
def _layer_norm(
    w: Writer,
    x: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> str:
    ones = w.constant(torch.ones(tuple(normalized_shape))) if weight is None else weight.name
    parameters = [ones] if bias is None else [ones, bias.name]
    axis = -len(normalized_shape)
    return w.node("LayerNormalization", x.name, *parameters, axis=axis, epsilon=eps)


@emits_modules(nn.LayerNorm)
def _layer_norm_module(w: Writer, norm: nn.LayerNorm, x: Tensor) -> str:
    parameters = [
        None if value is None else Tensor(w.parameter(name, value), tuple(value.shape))
        for name, value in (("weight", norm.weight), ("bias", norm.bias))
    ]
    return str(_layer_norm(w, x, norm.normalized_shape, *parameters, norm.eps))


@emits_modules(nn.Identity, nn.Dropout, nn.Dropout2d)
def _identity_module(w: Writer, module: nn.Module, x: Tensor) -> str:
    return x.name


@emits_functions("contiguous")
def _contiguous(w: Writer, x: Tensor) -> str:
    return x.name


@emits_functions(functional.dropout, functional.dropout2d)
def _dropout(
    w: Writer, x: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> str:
    if training:
        raise unsupported("dropout that stays on at inference")
    return x.name


@emits_functions("torchvision.ops.stochastic_depth.stochastic_depth")
def _stochastic_depth(w: Writer, x: Tensor, p: float, mode: str, training: bool = True) -> str:
    return str(_dropout(w, x, p, training))
