"""Train, judge and ship Fashion-MNIST classifiers from the shell."""

from fmnist_cli.facts import VERSION

__version__ = VERSION

__all__ = ["__version__"]
