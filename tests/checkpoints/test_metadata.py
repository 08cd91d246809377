"""A file's document about itself: of the documented form, or refused."""

import json
from typing import Any

import pytest

from fmnist_cli.checkpoints.metadata import (
    FORMAT_VERSION,
    MetadataFault,
    parse_metadata,
    parse_network,
)
from fmnist_cli.data.normalization import Normalization
from tests.written_models import metadata


def test_what_training_writes_is_read() -> None:
    document = metadata("convnet")
    assert parse_metadata(json.dumps(document)) == document
    assert parse_network(document) == ("convnet", {}, Normalization.STANDARD)


@pytest.mark.parametrize(
    ("version", "message"),
    [
        (FORMAT_VERSION + 1, "has format 2, this program reads up to 1"),
        (10**9, "has format 1000000000"),
        *((version, "states no format") for version in (0, -1, True, 1.0, "1", None)),
    ],
)
def test_another_version_is_refused(version: object, message: str) -> None:
    with pytest.raises(MetadataFault, match=message):
        parse_metadata(json.dumps({"format_version": version}))


@pytest.mark.parametrize(
    "text", ["", "[]", "1", "{", "[" * 100_000, '{"format_version": 1, "x": ' + "[" * 30 + "]" * 30]
)
def test_what_is_no_document_is_refused(text: str) -> None:
    with pytest.raises(MetadataFault, match="not a JSON object"):
        parse_metadata(text)


@pytest.mark.parametrize("part", ["model", "preparation", "config", "data", "metrics", "versions"])
def test_a_part_that_is_none_is_refused(part: str) -> None:
    with pytest.raises(MetadataFault, match=f"'{part}' is not a JSON object"):
        parse_metadata(json.dumps({**metadata(), part: []}))


@pytest.mark.parametrize(
    "options",
    [
        {"pretrained": True},  # torchvision would fetch weights
        {"weights": "DEFAULT"},
        {"stages": [1] * 100_000},
        {"dropout": 1.0},
        {"dropout": -0.1},
        {"dropout": True},
        {"dropout": float("nan")},
        {"dropout": "0.1"},
        [],
        None,
    ],
)
def test_an_option_that_training_does_not_set_is_refused(options: Any) -> None:
    document = metadata()
    document["model"]["options"] = options
    with pytest.raises(MetadataFault):
        parse_network(document)
    document["model"]["options"] = {"dropout": 0.25}
    assert parse_network(document)[1] == {"dropout": 0.25}


@pytest.mark.parametrize(
    "normalization",
    [
        {},
        {"mean": 0.5},
        {"mean": 0.5, "std": 0.0},
        {"mean": 0.5, "std": -1.0},
        {"mean": float("inf"), "std": 1.0},
        {"mean": 0.5, "std": float("nan")},
        {"mean": 0.5, "std": 10**400},
        {"mean": False, "std": 1.0},
        {"mean": "0", "std": 1.0},
        {"mean": 0.5, "std": 1.0, "scale": 2.0},
    ],
)
def test_a_preparation_that_is_none_is_refused(normalization: dict[str, Any]) -> None:
    with pytest.raises(MetadataFault, match="no preparation"):
        parse_network({**metadata(), "preparation": normalization})
