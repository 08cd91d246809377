"""Train, judge and ship Fashion-MNIST classifiers from the shell."""

from fmnist_cli.facts import VERSION as __version__

__all__ = ["__version__"]
