"""Predictions as JSON: keys, order, rounding and names that are not UTF-8."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fmnist_cli.constants import CLASS_NAMES
from fmnist_cli.data.pictures import Picture
from fmnist_cli.inference.answers import describe
from fmnist_cli.inference.predictor import Prediction

PICTURE = Picture(np.zeros((28, 28), np.uint8), prepared=True)


def plain(name: str, values: list[float], top_k: int) -> str:
    labels = sorted(range(10), key=lambda label: (-values[label], label))[:top_k]
    top = [
        {"label": label, "class": CLASS_NAMES[label], "probability": round(values[label], 6)}
        for label in labels
    ]
    return json.dumps({"input": name, **top[0], "top": top, "photo": True}, ensure_ascii=False)


@given(
    name=st.text(st.characters(exclude_categories=["Cs"])),
    shares=st.lists(st.floats(0, 1, width=32), min_size=10, max_size=10),
    top_k=st.integers(1, 10),
)
def test_an_answer_is_spelled_as_json_spells_it(name: str, shares: list[float], top_k: int) -> None:
    probabilities = np.array(shares, np.float32)
    answer = Prediction(name, PICTURE, probabilities, None)
    (described,) = describe([answer], CLASS_NAMES, top_k)
    spelled = json.dumps(described, ensure_ascii=False)
    assert spelled == plain(name, probabilities.tolist(), top_k)


@pytest.mark.parametrize("name", ['a "b"\n[c]\\', "图\u2028", "\udcff.png"])
def test_a_fault_is_json_whatever_the_name(name: str) -> None:
    (found,) = describe([Prediction(name, None, None, f"no file at '{name}'")], CLASS_NAMES, 3)
    shown = name.encode("utf-8", "backslashreplace").decode()
    assert found == {"input": shown, "error": f"no file at '{shown}'"}
