"""Weights as people save them elsewhere: wrapped, nested, prefixed, in other formats and types."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from torch import Tensor

from fmnist_cli.checkpoints import checkpoint
from fmnist_cli.checkpoints.archive import open_archive
from fmnist_cli.checkpoints.sniff import is_safetensors, read_head
from fmnist_cli.errors import CheckpointError, Unavailable

_STATE_KEYS: Final = (
    *("state_dict", "model_state_dict", "model_state", "model", "net", "network", "weights"),
)
"""Under which entries of a checkpoint people keep the weights, most specific first."""
_MAX_NESTING: Final = 3


def read_state(path: Path, max_bytes: int) -> dict[str, Tensor]:
    """The tensors of a state dict by name, wherever the file keeps it.

    max_bytes: what all tensors of the file may take. Runs no code from the file. Raises
    CheckpointError, and Unavailable if the package for its format is missing.
    """
    if is_safetensors(read_head(path)):
        return _read_safetensors(path, max_bytes)
    with open_archive(path) as archive:
        content = checkpoint.read_content(archive, max_bytes)
    state = _find_state(content, _MAX_NESTING)
    if state is None:
        raise CheckpointError(
            f"'{path}' holds no state dict (names with tensors)\n"
            "save one with torch.save(model.state_dict(), 'weights.pt')"
        )
    return state


def without_prefix(
    state: Mapping[str, Tensor], expected: list[str]
) -> tuple[str, dict[str, Tensor]]:
    """Strip what wrappers put before a network's names, such as `module.` or `_orig_mod.model.`.

    expected: the network's own names. Returns the prefix and the tensors below it. If several
    prefixes fit equally well (a model and its average, say), the first in the file counts.
    """
    plain = {name.replace("_orig_mod.", ""): tensor for name, tensor in state.items()}
    candidates = {"": 0} | {
        name.removesuffix(known): 0
        for name in plain
        for known in expected[:2]
        if name.endswith(f".{known}")
    }
    for prefix in candidates:
        candidates[prefix] = sum(prefix + name in plain for name in expected)
    best = max(candidates, key=lambda prefix: candidates[prefix])
    below = {
        name.removeprefix(best): tensor for name, tensor in plain.items() if name.startswith(best)
    }
    return best, below


def _find_state(content: Any, depth: int) -> dict[str, Tensor] | None:
    if not isinstance(content, dict) or not content or depth == 0:
        return None
    if all(isinstance(k, str) and isinstance(v, Tensor) for k, v in content.items()):
        return content
    found = (_find_state(content.get(key), depth - 1) for key in _STATE_KEYS)
    return next((state for state in found if state is not None), None)


def _read_safetensors(path: Path, max_bytes: int) -> dict[str, Tensor]:
    try:
        from safetensors import SafetensorError
        from safetensors.torch import load_file
    except ModuleNotFoundError:
        raise Unavailable(
            f"'{path}' needs the package 'safetensors': pip install 'fmnist-cli[safetensors]'"
        ) from None
    # Its header must describe every byte of the file once, so no tensor is larger than the file.
    if path.stat().st_size > max_bytes:
        raise CheckpointError(f"'{path}' holds far more values than its network has")
    try:
        return load_file(path)
    except (SafetensorError, OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        reason = str(error).partition("\n")[0][:200]
        raise CheckpointError(f"'{path}' is damaged, or not safetensors: {reason}") from None
