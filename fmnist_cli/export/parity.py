"""Proof that an ONNX file computes what the network in torch does."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from fmnist_cli.data.images import Images
from fmnist_cli.errors import CheckFailed
from fmnist_cli.inference.classifier import Classifier, Probabilities
from fmnist_cli.inference.onnx_backend import OnnxClassifier
from fmnist_cli.inference.onnx_contract import LABEL, LOGITS, PROBABILITIES

BATCH_SIZES: Final = (1, 7, 256)
MAX_DIFFERENCE: Final = 1e-4
"""Of any probability."""
LABEL_MARGIN: Final = 2 * MAX_DIFFERENCE
"""If torch's two best classes differ by more, the label must be the same."""


@dataclass(frozen=True, slots=True)
class Parity:
    """The result of a passed comparison."""

    images: int
    source: str
    """Of the images."""
    batch_sizes: list[int]
    max_difference: float
    """Greatest difference of a probability."""
    labels_differ: int
    """Images whose labels differ; their two best classes are all but equal."""


def check_parity(
    reference: Classifier,
    exported: OnnxClassifier,
    images: Images,
    source: str,
    *,
    tta: bool = False,
    batch_sizes: Sequence[int] = BATCH_SIZES,
) -> Parity:
    """Compare both on the same images, once per batch size.

    images: uint8 [N, 28, 28]. tta: the exported file averages over mirror images by itself.
    Raises CheckFailed if a probability differs by more than MAX_DIFFERENCE, if a label differs
    although the reference's two best differ by more than LABEL_MARGIN, or if the outputs contradict
    each other.
    """
    expected = reference(images, tta=tta)
    best = np.partition(expected, -2, axis=1)
    is_clear = best[:, -1] - best[:, -2] > LABEL_MARGIN
    difference = 0.0
    labels_differ = 0
    for batch_size in batch_sizes:
        starts = range(0, len(images), batch_size)
        batches = [exported.run(images[start : start + batch_size]) for start in starts]
        outputs = {name: np.concatenate([one[name] for one in batches]) for name in batches[0]}
        _check_consistency(outputs)
        here = _largest_difference(expected, outputs[PROBABILITIES])
        differ = expected.argmax(axis=1) != outputs[LABEL]
        labels_differ = max(labels_differ, int(differ.sum()))
        wrong = int((differ & is_clear).sum())
        if wrong or not here <= MAX_DIFFERENCE:  # NaN fails, too
            raise CheckFailed(
                f"ONNX and torch disagree at batch size {batch_size}: on {len(images):,} images "
                f"({source}) probabilities differ by up to {here:.2g} (allowed "
                f"{MAX_DIFFERENCE:g}) and {wrong} labels are wrong; no file was written"
            )
        difference = max(difference, here)
    return Parity(len(images), source, list(batch_sizes), difference, labels_differ)


def _check_consistency(outputs: dict[str, Any]) -> None:
    """The label is that of the probabilities, and these are the softmax of the logits."""
    probabilities = outputs[PROBABILITIES]
    if not np.array_equal(outputs[LABEL], probabilities.argmax(axis=1)):
        raise CheckFailed("the ONNX file's labels are not those of its probabilities")
    if LOGITS in outputs:
        powers = np.exp(outputs[LOGITS] - outputs[LOGITS].max(axis=1, keepdims=True))
        softmax = powers / powers.sum(axis=1, keepdims=True)
        if not _largest_difference(softmax, probabilities) <= MAX_DIFFERENCE:
            raise CheckFailed("the ONNX file's probabilities are not the softmax of its logits")


def _largest_difference(a: Probabilities, b: Probabilities) -> float:
    return float(np.abs(a - b).max(initial=0.0))
