"""Which emitter writes which module or function of torch.

An emitter takes the writer and then torch's own arguments, with a `Tensor` wherever torch takes a
tensor, and returns the name of what it wrote. One that needs no node (dropout at inference, a
flatten of what is flat) returns the name of its input.
"""

from collections.abc import Callable
from typing import Any, Final, TypeAlias

from torch import nn

from fmnist_cli.errors import CheckFailed

Emitter: TypeAlias = Callable[..., Any]
MODULES: Final[dict[type[nn.Module], Emitter]] = {}
"""By the module's exact type; the emitter takes the module after the writer."""
FUNCTIONS: Final[dict[Callable[..., Any] | str, Emitter]] = {}
"""By function; by name for the methods of a tensor and what is not worth importing here."""


def emits_modules(*kinds: type[nn.Module]) -> Callable[[Emitter], Emitter]:
    """Enter an emitter for these types of module."""

    def register(emitter: Emitter) -> Emitter:
        MODULES.update(dict.fromkeys(kinds, emitter))
        return emitter

    return register


def emits_functions(*targets: Callable[..., Any] | str) -> Callable[[Emitter], Emitter]:
    """Enter an emitter for these functions and methods."""

    def register(emitter: Emitter) -> Emitter:
        FUNCTIONS.update(dict.fromkeys(targets, emitter))
        return emitter

    return register


def unsupported(what: str) -> CheckFailed:
    """The error for a part of a network that has no emitter."""
    return CheckFailed(f"the network can't be exported to ONNX: no operator is known for {what}")
