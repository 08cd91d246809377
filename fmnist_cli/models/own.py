"""A user's own network, built and tried.

It maps float images [N, 1, 28, 28] with values from 0 to 1 to logits [N, K], and its constructor
takes no arguments, or `num_classes`.
"""

import inspect
import logging
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from fmnist_cli.constants import IMAGE_SIZE
from fmnist_cli.errors import UsageError
from fmnist_cli.models.own_code import load_class, own_code_errors

_LOG: Final = logging.getLogger(__name__)
_EXPECTED: Final = (
    f"expected a network that maps float images [N, 1, {IMAGE_SIZE}, {IMAGE_SIZE}] to logits "
)
_PROBE_SIZE: Final = 2


def build(spec: str, num_classes: int, **options: Any) -> nn.Module:
    """Build the network, with new weights, and try it on random images.

    options: arguments of the constructor. Raises UsageError if it can't be built or maps images to
    anything but logits [N, K].
    """
    construct = load_class(spec)
    name = spec.rpartition(":")[2]
    parameters = inspect.signature(construct).parameters
    if "num_classes" in parameters:
        options["num_classes"] = num_classes
    needed = [
        parameter.name
        for parameter in parameters.values()
        if parameter.default is parameter.empty
        and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
        and parameter.name not in options
    ]
    if needed:
        raise UsageError(
            f"'{name}' can't be built: it needs the argument '{needed[0]}'\n"
            f"give it a default in __init__; num_classes is the only one that is passed"
        )
    for option in options:
        if option not in parameters:
            raise UsageError(f"'{name}' takes no '{option}'; leave --{option} out")
    with own_code_errors(spec, f"'{name}' can't be built"):
        try:
            network = construct(**options)
        except AttributeError as error:
            if "Module.__init__() call" in str(error):
                error.add_note("call super().__init__() first in __init__")
            raise
    if not isinstance(network, nn.Module):
        raise UsageError(f"'{name}' gives {type(network).__name__}; {_EXPECTED}[N, {num_classes}]")
    check(network, num_classes, spec)
    return network


def check(network: nn.Module, num_classes: int, spec: str) -> None:
    """Try a network on random images; leaves weights and random numbers as they were.

    Raises UsageError unless it maps float32 [N, 1, 28, 28] to float logits [N, K], one image too.
    """
    name = spec.rpartition(":")[2]
    logits = _logits(network, num_classes, spec)
    if not any(p.requires_grad for p in network.parameters()):
        raise UsageError(f"'{name}' has no weights to train{_hidden_layers(network)}")
    if bool((logits >= 0).all()) and torch.allclose(logits.sum(1), torch.ones(_PROBE_SIZE)):
        _LOG.warning(
            "'%s' returns probabilities: leave its softmax out, the loss has one already", name
        )
    _logits(network, num_classes, spec, " for a single image", size=1)


def check_training(network: nn.Module, num_classes: int, spec: str) -> None:
    """Try a network that passed `check` in training mode, forward and backward.

    Leaves weights, gradients, buffers and random numbers as they were. Raises UsageError unless it
    returns logits [N, K] that depend on some weight.
    """
    name = spec.rpartition(":")[2]
    weights = [weight for weight in network.parameters() if weight.requires_grad]
    buffers = [
        (module, key, buffer)
        for module in network.modules()
        for key, buffer in module.named_buffers(recurse=False, remove_duplicate=False)
    ]
    try:
        for module, key, buffer in buffers:  # batch norms average into them
            setattr(module, key, buffer.clone())
        logits = _logits(network, num_classes, spec, " in training mode", is_training=True)
        gradients: tuple[Tensor | None, ...] = ()
        if logits.requires_grad:
            with own_code_errors(spec, f"'{name}' fails in the backward pass"):
                gradients = torch.autograd.grad(logits.sum(), weights, allow_unused=True)
    finally:
        for module, key, buffer in buffers:
            setattr(module, key, buffer)
    if all(gradient is None for gradient in gradients):
        raise UsageError(
            f"'{name}' can't be trained: its logits have no gradient\n"
            "leave .detach() and torch.no_grad() out of its forward"
        )


def _logits(
    network: nn.Module,
    num_classes: int,
    spec: str,
    when: str = "",
    *,
    size: int = _PROBE_SIZE,
    is_training: bool = False,
) -> Tensor:
    """What a network returns for random images. Raises UsageError unless it is float [N, K].

    when: follows `returns X` in the message.
    """
    name = spec.rpartition(":")[2]
    expected = f"{_EXPECTED}[N, {num_classes}]"
    with own_code_errors(spec, f"'{name}' fails on images{when}; {expected}"):
        logits = _tried(network, torch.device("cpu"), size, is_training=is_training)
    if not isinstance(logits, Tensor):
        many = f" of {len(logits)}" if isinstance(logits, tuple | list) else ""
        raise UsageError(
            f"'{name}' returns a {type(logits).__name__}{many}{when}\n{expected}\n"
            "return the logits alone"
        )
    given = ["N" if each == size else str(each) for each in logits.shape[:1]]
    shape = ", ".join([*given, *map(str, logits.shape[1:])])
    kind = ""
    if not logits.is_floating_point():
        kind = str(logits.dtype).removeprefix("torch.") + " "
        way = "return the logits themselves, without argmax"
    elif logits.shape == (size, num_classes):
        return logits
    elif size == 1:
        way = "it is right for several: use flatten(1) in place of squeeze()"
    elif logits.dim() == 2:
        way = "let it take the number: def __init__(self, num_classes)"
    else:
        way = "flatten it"
    raise UsageError(f"'{name}' returns {kind}[{shape}]{when}\n{expected}\n{way}")


def _hidden_layers(network: nn.Module) -> str:
    """Advice about layers in a plain list, whose weights torch doesn't find; empty if none."""
    for module in network.modules():
        for name, value in vars(module).items():
            if isinstance(value, list | tuple) and any(isinstance(x, nn.Module) for x in value):
                return f"\nmake the list a module: self.{name} = nn.ModuleList(…)"
    return ""


def set_layout(network: nn.Module, layout: torch.memory_format) -> torch.memory_format:
    """Give a network's weights a memory format, in place, and return it.

    A user's own network may call `view` on features, which fails on channels-last ones. It
    gets `reshape` instead and, if that is not enough, contiguous weights.
    """
    network.to(memory_format=layout)
    if type(network).__module__.startswith("fmnist_cli.") or layout == torch.contiguous_format:
        return layout
    if not _works(network):
        network.__class__ = _reshaping(type(network))
        if not _works(network):
            network.to(memory_format=torch.contiguous_format)
            return torch.contiguous_format
    return layout


def _works(network: nn.Module) -> bool:
    try:
        _tried(network, next(network.parameters()).device)
    except Exception:  # noqa: BLE001 - whatever the user's code raises
        return False
    return True


def _tried(
    network: nn.Module,
    device: torch.device,
    size: int = _PROBE_SIZE,
    *,
    is_training: bool = False,
) -> Any:
    """What a network returns for random images; leaves its mode and random numbers as they were.

    is_training: in training mode, with gradients.
    """
    was_training = network.training
    random = torch.Generator().manual_seed(0)
    images = torch.rand(size, 1, IMAGE_SIZE, IMAGE_SIZE, generator=random).to(device)
    try:
        with torch.random.fork_rng(devices=[]), torch.set_grad_enabled(is_training):
            network.train(is_training)
            return network(images)
    finally:
        network.train(was_training)


class _ReshapeForView(TorchFunctionMode):
    def __torch_function__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        if function is Tensor.view and not any(isinstance(each, torch.dtype) for each in args):
            function = Tensor.reshape
        return function(*args, **(kwargs or {}))


def _reshaping(kind: type[nn.Module]) -> type[nn.Module]:
    """The same class, whose forward pass reshapes where it says `view`."""

    class Reshaping(kind):  # type: ignore[valid-type, misc]
        def forward(self, *args: Any, **kwargs: Any) -> Any:
            with _ReshapeForView():
                return super().forward(*args, **kwargs)

    Reshaping.__name__, Reshaping.__module__ = kind.__name__, kind.__module__
    return Reshaping
