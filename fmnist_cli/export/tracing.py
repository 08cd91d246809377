"""A network as a list of operations, with what can be computed beforehand folded into its weights.

All folding is done in float64, so that the weights are rounded to float32 once.
"""

import copy

import torch
from torch import fx, nn
from torch.fx.passes.shape_prop import ShapeProp
from torch.nn.utils.fusion import fuse_conv_bn_eval

from fmnist_cli.constants import IMAGE_SIZE
from fmnist_cli.data.normalization import Normalization
from fmnist_cli.export.emitters.layers import conv_pads
from fmnist_cli.export.writer import BATCH


def trace(model: nn.Module) -> fx.GraphModule:
    """Record the operations of a network at inference, on a float64 copy of it.

    Each batch norm that alone follows a convolution, or its max-pooled result, is folded into it.
    """
    traced = fx.symbolic_trace(copy.deepcopy(model).cpu().double().eval())
    _fold_batch_norms(traced)
    return traced


def fold_normalization(traced: fx.GraphModule, normalization: Normalization) -> tuple[float, float]:
    """Fold `prepared = pixel * scale + shift` into the first layer as far as that is exact.

    Returns the scale and shift that stay to be applied to the pixels before the network:
    (1, 0) where all is folded. A convolution that pads with zeros means zeros after the
    normalization, so for it only the scale is folded and the pixels are shifted by shift / scale:
    what was zero stays zero at the border.
    """
    layer = _first_layer(traced)
    scale, shift = normalization.scale, normalization.shift
    if layer is None:
        return scale, shift
    remaining_shift = 0.0
    with torch.no_grad():
        if isinstance(layer, nn.Conv2d) and any(conv_pads(layer)):
            remaining_shift = shift / scale
        elif shift:
            constant = shift * layer.weight.flatten(1).sum(1)
            layer.bias = nn.Parameter(constant if layer.bias is None else layer.bias + constant)
        layer.weight = nn.Parameter(layer.weight * scale)
    return 1.0, remaining_shift


def propagate_shapes(traced: fx.GraphModule) -> dict[fx.Node, object]:
    """Find each value's shape for a batch of BATCH images.

    Returns a shape, or a list of them, for each node whose value is a tensor or several. Computing
    them on a real batch is quicker than torch's way without: that imports its compiler (2 s).
    """
    twin = copy.deepcopy(traced).float()
    with torch.no_grad():
        ShapeProp(twin).propagate(torch.zeros(BATCH, 1, IMAGE_SIZE, IMAGE_SIZE))
    pairs = zip(traced.graph.nodes, twin.graph.nodes, strict=True)
    return {node: _shapes(other.meta.get("tensor_meta")) for node, other in pairs}


def _shapes(meta: object) -> object:
    if hasattr(meta, "shape"):
        return tuple(meta.shape)
    return [_shapes(item) for item in meta] if isinstance(meta, list | tuple) else None


def _fold_batch_norms(traced: fx.GraphModule) -> None:
    for node in list(traced.graph.nodes):
        norm = _module(traced, node)
        if not isinstance(norm, nn.BatchNorm2d) or norm.running_mean is None:
            continue
        source = node.args[0]
        # A rising function may as well be applied before the greatest value is taken.
        while isinstance(_module(traced, source), nn.MaxPool2d) and _is_rising(norm):
            if len(source.users) > 1:
                break
            source = source.args[0]
        conv = _module(traced, source)
        if not isinstance(conv, nn.Conv2d) or len(source.users) > 1 or not _runs_once(source):
            continue
        traced.set_submodule(source.target, fuse_conv_bn_eval(conv, norm))
        node.replace_all_uses_with(node.args[0])
        traced.graph.erase_node(node)
    traced.recompile()


def _is_rising(norm: nn.BatchNorm2d) -> bool:
    return norm.weight is None or bool((norm.weight >= 0).all())


def _module(traced: fx.GraphModule, node: fx.Node) -> nn.Module | None:
    """The module that a node calls, where it calls one."""
    return traced.get_submodule(str(node.target)) if node.op == "call_module" else None


def _runs_once(call: fx.Node) -> bool:
    """Whether the module that `call` runs is run nowhere else."""
    calls = sum(node.target == call.target for node in call.graph.nodes)
    return bool(calls == 1)


def _first_layer(traced: fx.GraphModule) -> nn.Conv2d | nn.Linear | None:
    """The layer that alone takes the images; None where something else does."""
    node = next(node for node in traced.graph.nodes if node.op == "placeholder")
    while len(node.users) == 1:
        (node,) = node.users
        module = _module(traced, node)
        if isinstance(module, nn.Conv2d) and module.padding_mode != "zeros":
            return None
        if isinstance(module, nn.Conv2d | nn.Linear):
            return module if _runs_once(node) else None
        if not (isinstance(module, nn.Flatten | nn.Identity | nn.Dropout) or _flattens(node)):
            return None
    return None


def _flattens(node: fx.Node) -> bool:
    return bool(node.target in (torch.flatten, "flatten"))
