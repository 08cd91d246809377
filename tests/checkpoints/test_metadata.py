"""Metadata: of the documented form, or refused."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fmnist_cli.checkpoints.metadata import (
    MetadataFault,
    ModelMetadata,
    NetworkRecord,
)
from tests.written_models import metadata


def test_what_training_writes_is_read() -> None:
    network = NetworkRecord("resnet18", {"dropout": 0.25, "stem": "stock"})
    written = replace(
        metadata("convnet"), network=network, temperature=1.5, extra={"measured": {"n": 3}}
    )
    document = written.to_json()
    assert ModelMetadata.parse(json.dumps(document)) == written
    assert {"format_version", "model", "preparation", "measured"} <= document.keys()


DEEP = '{"format_version": 1, "x": ' + "[" * 30 + "]" * 30 + "}"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"format_version": 2}', "has format 2, but this program reads formats up to 1"),
        ('{"format_version": 1000000000}', "has format 1000000000"),
        *((f'{{"format_version": {n}}}', "states no format") for n in (0, -1, "true", 1.0, '"1"')),
        *((text, "not a JSON object") for text in ("", "[]", "1", "{", "[" * 100_000, DEEP)),
        ('{"x": 1e400}', "not a JSON object"),
    ],
)
def test_other_versions_and_documents_are_refused(text: str, message: str) -> None:
    with pytest.raises(MetadataFault, match=message):
        ModelMetadata.parse(text)


def _numbers(values: list[Any]) -> list[dict[str, Any]]:
    return [{"mean": 0.5, "std": value} for value in values]


INVALID: dict[str, list[Any]] = {
    "model": [[], {}, {"name": 1, "options": {}}, {"name": "tutorial"}],
    "model.options": [
        *({"pretrained": True}, {"weights": "DEFAULT"}, {"stages": [1] * 1000}),  # torchvision's
        *({"dropout": 1.0}, {"dropout": -0.1}, {"dropout": True}, {"dropout": "0.1"}, [], None),
        *({"stem": "large"}, {"stem": ["small"]}, {"stem": 1}, {"mirror": "yes"}),
    ],
    "model.parameters": ["1", -1, 1.5, True],
    "preparation": [
        *({}, [], {"mean": 0.5}, {"mean": 0.5, "std": 1.0, "scale": 2.0}, {"mean": "0", "std": 1}),
        *_numbers([0.0, -1.0, 10**400, 1e-300, True, None]),
    ],
    "classes": [[], ["one"], ["a", "a"], ["a", 1], ["a", ""], "ab", ["a", "b"] * 1000],
    "recipe": [1, []],
    "config": [[], "x"],
    "data": [[1], {"spec": "x"}],
    "data.spec": [7, None],
    "data.fingerprint": [None],
    "data.val_size": ["5", -1, True],
    "data.split_seed": [[0], -1, 0.5],
    "metrics": [[1]],
    "metrics.val_loss": ["1", True],
    "versions": [[], "2.14"],
    "temperature": [0, -1.0, "1", True],
    "created_at": [7],
    "run_dir": [7],
}


@pytest.mark.parametrize(
    ("place", "value"), [(place, value) for place, values in INVALID.items() for value in values]
)
def test_a_part_of_another_form_is_refused(place: str, value: object) -> None:
    document = metadata().to_json()
    part, _, key = place.partition(".")
    if key:
        document[part][key] = value
    else:
        document[part] = value
    with pytest.raises(MetadataFault):
        ModelMetadata.parse(json.dumps(document))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)


@given(st.sampled_from(sorted(metadata().to_json())), JSON)
def test_any_value_anywhere_is_read_back_equal_or_refused(part: str, value: Any) -> None:
    document = {**metadata().to_json(), part: value}
    try:
        read = ModelMetadata.parse(json.dumps(document))
    except MetadataFault:
        return
    assert ModelMetadata.parse(json.dumps(read.to_json())) == read
