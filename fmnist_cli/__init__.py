"""Train, judge and ship Fashion-MNIST classifiers from the shell.

In Python, a model file is a function of pictures:

    from fmnist_cli import load
    probabilities = load("model.pt")(images)  # uint8 [N, 28, 28] to float32 [N, 10]
"""

from typing import TYPE_CHECKING

from fmnist_cli.facts import VERSION

if TYPE_CHECKING:
    from fmnist_cli.inference import load

__version__ = VERSION

__all__ = ["__version__", "load"]


def __getattr__(name: str) -> object:
    # Imported when it is first asked for, so that `fmnist --help` need not wait for NumPy.
    if name == "load":
        from fmnist_cli.inference import load

        return load
    raise AttributeError(f"module 'fmnist_cli' has no attribute '{name}'")
