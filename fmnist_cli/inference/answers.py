"""Predictions as plain data: the answer of `predict` and `serve` to each input."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from fmnist_cli.inference.predictor import Prediction

_DECIMALS: Final = 6
"""Further digits of a probability depend on the machine."""


def describe(
    batch: Sequence[Prediction], classes: Sequence[str], top_k: int
) -> list[dict[str, Any]]:
    """Each prediction as JSON data: the most probable classes first, ties by label.

    classes: names by label.
    """
    answers = []
    for prediction, ranked in zip(batch, rank(batch, top_k), strict=True):
        answer: dict[str, Any] = {"input": unicode(prediction.name)}
        if prediction.picture is None:
            answer["error"] = unicode(prediction.error or "")
        else:
            top = [
                {"label": label, "class": classes[label], "probability": share}
                for label, share in ranked
            ]
            answer |= {**top[0], "top": top, "photo": prediction.picture.prepared}
        answers.append(answer)
    return answers


def rank(batch: Sequence[Prediction], top_k: int) -> list[list[tuple[int, float]]]:
    """Each prediction's most probable labels with their probabilities; none for an error.

    All in one go: sorting and rounding row by row takes three times as long.
    """
    rows = [one.probabilities for one in batch if one.probabilities is not None]
    if not rows:
        return [[] for _ in batch]
    values = np.stack(rows)
    labels = np.argsort(-values, axis=1, kind="stable")[:, :top_k]  # ties keep order
    shares = np.take_along_axis(values, labels, axis=1).astype(np.float64)
    # A float32 times a million is exact in 53 bits: this is what `round` gives.
    rounded = np.rint(shares * 10**_DECIMALS) / 10**_DECIMALS
    ranked = map(list, map(zip, labels.tolist(), rounded.tolist()))
    return [[] if one.probabilities is None else next(ranked) for one in batch]


def unicode(text: str) -> str:
    """The text with bytes of a path that are not UTF-8 spelled out, as no JSON can hold them."""
    return text.encode("utf-8", "backslashreplace").decode()
