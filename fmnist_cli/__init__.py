"""Train, evaluate and export Fashion-MNIST classifiers from the shell.

In Python, a model file is a function of images:

    from fmnist_cli import load
    probabilities = load("model.pt")(images)  # uint8 [N, 28, 28] to float32 [N, K]

and training yields its epochs:

    from fmnist_cli import configure, train
    for result in train(configure(recipe="fast", epochs=3), output="model.pt"):
        print(result.epoch, result.val_accuracy)
"""

from importlib import import_module
from typing import TYPE_CHECKING, Final

from fmnist_cli.constants import VERSION

if TYPE_CHECKING:
    from fmnist_cli.inference.loading import load
    from fmnist_cli.training.options import TrainConfig
    from fmnist_cli.training.recipes import configure
    from fmnist_cli.training.run import train

__version__ = VERSION

__all__ = ["TrainConfig", "__version__", "configure", "load", "train"]

_HOMES: Final = {
    "TrainConfig": "fmnist_cli.training.options",
    "configure": "fmnist_cli.training.recipes",
    "load": "fmnist_cli.inference.loading",
    "train": "fmnist_cli.training.run",
}


def __getattr__(name: str) -> object:
    # Imported on first use, so that `fmnist --help` need not wait for torch.
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'fmnist_cli' has no attribute '{name}'")
