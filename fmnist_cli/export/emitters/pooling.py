"""Pooling over windows and over whole images."""

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional

from fmnist_cli.export.emitters.registry import emits_functions, emits_modules, unsupported
from fmnist_cli.export.writer import Tensor, Writer


def _pair(size: int | Sequence[int]) -> list[int]:
    return [size, size] if isinstance(size, int) else list(size)


@emits_functions(functional.max_pool2d)
def _max_pool(
    w: Writer,
    x: Tensor,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    padding: int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> str:
    if return_indices:
        raise unsupported("max_pool2d with return_indices")
    return w.node(
        "MaxPool",
        x.name,
        kernel_shape=_pair(kernel_size),
        strides=_pair(stride or kernel_size),
        pads=_pair(padding) * 2,
        dilations=_pair(dilation),
        ceil_mode=int(ceil_mode),
    )


@emits_modules(nn.MaxPool2d)
def _max_pool_module(w: Writer, pool: nn.MaxPool2d, x: Tensor) -> str:
    sizes = (pool.kernel_size, pool.stride, pool.padding, pool.dilation)
    return str(_max_pool(w, x, *sizes, pool.ceil_mode, pool.return_indices))


@emits_functions(functional.avg_pool2d)
def _avg_pool(
    w: Writer,
    x: Tensor,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    padding: int | Sequence[int] = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> str:
    if divisor_override is not None:
        raise unsupported("avg_pool2d with divisor_override")
    return w.node(
        "AveragePool",
        x.name,
        kernel_shape=_pair(kernel_size),
        strides=_pair(stride or kernel_size),
        pads=_pair(padding) * 2,
        ceil_mode=int(ceil_mode),
        count_include_pad=int(count_include_pad),
    )


@emits_modules(nn.AvgPool2d)
def _avg_pool_module(w: Writer, pool: nn.AvgPool2d, x: Tensor) -> str:
    sizes = (pool.kernel_size, pool.stride, pool.padding)
    rest = (pool.ceil_mode, pool.count_include_pad, pool.divisor_override)
    return str(_avg_pool(w, x, *sizes, *rest))


@emits_functions(functional.adaptive_avg_pool2d)
def _adaptive_avg_pool(w: Writer, x: Tensor, output_size: int | Sequence[int | None]) -> str:
    wanted = _pair(output_size)  # type: ignore[arg-type]
    have = x.shape[-2:]
    sizes = [size if size is not None else own for size, own in zip(wanted, have, strict=True)]
    if tuple(sizes) == have:
        return x.name
    if sizes == [1, 1]:
        return w.node("GlobalAveragePool", x.name)
    if have[0] % sizes[0] == 0 and have[1] % sizes[1] == 0:
        windows = [own // size for own, size in zip(have, sizes, strict=True)]
        return w.node("AveragePool", x.name, kernel_shape=windows, strides=windows)
    rows = w.constant(_averages(have[0], sizes[0]))
    columns = w.constant(_averages(have[1], sizes[1]).T)
    return w.node("MatMul", w.node("MatMul", rows, x.name), columns)


def _averages(have: int, wanted: int) -> torch.Tensor:
    """Matrix [wanted, have] that averages over torch's windows, which overlap and differ in size.

    Window n reaches from floor(n * have / wanted) to ceil((n + 1) * have / wanted).
    """
    matrix = torch.zeros(wanted, have, dtype=torch.float64)
    for n in range(wanted):
        start, end = n * have // wanted, -(-(n + 1) * have // wanted)
        matrix[n, start:end] = 1 / (end - start)
    return matrix


@emits_modules(nn.AdaptiveAvgPool2d)
def _adaptive_avg_pool_module(w: Writer, pool: nn.AdaptiveAvgPool2d, x: Tensor) -> str:
    return str(_adaptive_avg_pool(w, x, pool.output_size))


@emits_functions(torch.mean, "mean")
def _mean(w: Writer, x: Tensor, dim: int | Sequence[int], keepdim: bool = False) -> str:
    axes = sorted(axis % len(x.shape) for axis in ([dim] if isinstance(dim, int) else dim))
    if len(x.shape) == 4 and axes == [2, 3]:
        mean = w.node("GlobalAveragePool", x.name)
        return mean if keepdim else w.node("Flatten", mean)
    return w.mean(x.name, axes, keep=keepdim)
