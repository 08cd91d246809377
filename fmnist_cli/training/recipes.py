"""Recipes: options that work well together.

To add a recipe, add an entry. Options that it leaves out keep the defaults of `TrainConfig`; the
command line and a config file override it.
"""

from collections.abc import Mapping
from typing import Any, Final

from fmnist_cli.errors import FmnistError, UsageError, did_you_mean
from fmnist_cli.training.options import OPTIONS, TrainConfig, check

RECIPES: Final[Mapping[str, Mapping[str, Any]]] = {
    # The course's network, optimizer and batches.
    "tutorial": {
        "model": "tutorial",
        "epochs": 20,
        "batch_size": 256,
        "optimizer": "adam",
        "lr": 1e-3,
        "schedule": "constant",
    },
    # A small network, few epochs, nothing that slows learning down.
    "fast": {
        "model": "convnet-small",
        "epochs": 7,
        "batch_size": 256,
        "lr": 0.4,
        "weight_decay": 5e-4,
        "schedule": "linear",
        "warmup": 1.0,
        "label_smoothing": 0.1,
        "prune": 0.5,
        "freeze_stem": 2,
    },
    # For pretrained weights, on hundreds to thousands of images.
    "finetune": {
        "model": "convnet",
        "epochs": 20,
        "batch_size": 64,
        "lr": 0.03,
        "weight_decay": 5e-4,
        "schedule": "linear",
        "warmup": 2.0,
        "label_smoothing": 0.1,
        "augment": "flip,shift:1",
    },
    # Under 100,000 parameters, trained for long.
    "small": {
        "model": "convnet-compact",
        "epochs": 66,
        "batch_size": 256,
        "lr": 0.2,
        "weight_decay": 5e-4,
        "schedule": "linear",
        "warmup": 6.0,
        "augment": "flip,shift:1",
        "prune": 0.5,
    },
    # A wider network, longer, with augmentation.
    "default": {
        "model": "convnet",
        "epochs": 20,
        "batch_size": 256,
        "lr": 0.2,
        "weight_decay": 5e-4,
        "schedule": "linear",
        "warmup": 4.0,
        "label_smoothing": 0.1,
        "augment": "flip,shift:1",
        "prune": 0.5,
    },
    # For a GPU: a wide residual network, strong augmentation, averaged weights.
    "best": {
        "model": "wideresnet",
        "epochs": 60,
        "batch_size": 256,
        "lr": 0.2,
        "weight_decay": 5e-4,
        "schedule": "linear",
        "warmup": 3.0,
        "augment": "flip,shift:2,erase:0.5",
        "label_smoothing": 0.1,
        "ema": 0.999,
    },
}
"""Options of `TrainConfig` by name, for each recipe."""

ON_CUDA: Final[Mapping[str, Mapping[str, Any]]] = {
    # A GPU spends a step of the small network on launching kernels; a larger one is as fast.
    "fast": {
        "model": "convnet",
        "epochs": 24,
        "batch_size": 512,
        "lr": 0.4,
        "warmup": 4.0,
        "augment": "flip,shift:1",
        "prune": 0.0,
        "freeze_stem": None,
    },
}
"""Options of a recipe that differ on a CUDA device."""


def configure(**given: Any) -> TrainConfig:
    """The config of a run: `given` options over the recipe's over the defaults of `TrainConfig`.

    Without a recipe, `finetune` is that of given weights, whose network is trained further, and
    `tutorial` that of a network of the user's own. A recipe may differ on CUDA devices, so a given
    device matters. Raises UsageError for an unknown recipe or option, or a value out of range.
    """
    check(given)  # before torch is imported
    usual = OPTIONS["recipe"].default
    if given.get("weights") is not None:
        usual = "finetune"
    elif ":" in given.get("model", ""):
        usual = "tutorial"
    name = given.setdefault("recipe", usual)
    if name not in RECIPES:
        hint = did_you_mean(name, RECIPES)
        raise UsageError(f"unknown recipe '{name}'; expected {', '.join(RECIPES)}{hint}")
    options = {**RECIPES[name], **_network_of(given.get("weights"))}
    if name in ON_CUDA:
        from fmnist_cli.inference.torch_devices import is_cuda

        if is_cuda(given.get("device", OPTIONS["device"].default)):
            options |= ON_CUDA[name]
    return TrainConfig(**{**options, **given})


def _network_of(weights: str | None) -> dict[str, Any]:
    """The network that a model file holds, which a run from its weights trains."""
    if weights in (None, "imagenet"):
        return {}
    from fmnist_cli.checkpoints.archive import read_metadata
    from fmnist_cli.pretrained import locate

    try:
        return {"model": read_metadata(locate(str(weights))).network.name}
    except FmnistError:  # weights without metadata; opening them reports what is wrong
        return {}


def usual(recipe: str, device: str, name: str) -> Any:
    """The value that an option has by a recipe on a device or, if that sets none, by default."""
    on_cuda = ON_CUDA.get(recipe, {}) if device.startswith("cuda") else {}
    return {**RECIPES.get(recipe, {}), **on_cuda}.get(name, OPTIONS[name].default)


def shown_default(name: str) -> str:
    """The default of an option as `--help` shows it; empty if the option is simply off.

    If recipes decide, it says so, with the value of the default recipe if that has one.
    """
    option = OPTIONS[name]
    by_recipe = any(name in options for options in (*RECIPES.values(), *ON_CUDA.values()))
    default = RECIPES[OPTIONS["recipe"].default].get(name, option.default)
    is_off = default is None or default is False
    value = (option.unset or "") if is_off else f"{default}"
    return ", ".join(filter(None, (value, "set by the recipe" if by_recipe else "")))
