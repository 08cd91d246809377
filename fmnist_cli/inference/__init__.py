"""Pictures to probabilities."""

from fmnist_cli.inference.classifier import Classifier, Probabilities, load

__all__ = ["Classifier", "Probabilities", "load"]
