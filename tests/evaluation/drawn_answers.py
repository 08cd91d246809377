"""Labels and probabilities of a well-calibrated model."""

import numpy as np

from fmnist_cli.data.images import Labels
from fmnist_cli.inference.classifier import Probabilities


def answers(n: int, seed: int = 0) -> tuple[Labels, Probabilities]:
    """Draw probabilities float32 [n, 10], and labels int64 [n] from these probabilities."""
    random = np.random.default_rng(seed)
    logits = 3.0 * random.standard_normal((n, 10))
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    drawn = random.random((n, 1)) < probabilities.cumsum(axis=1)
    return drawn.argmax(axis=1).astype(np.int64), probabilities.astype(np.float32)
