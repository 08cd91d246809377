"""JSON schemas of what commands print with --format json: a contract with scripts."""

import json
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator


def parse(text: str, schema: str) -> Any:
    """Parse one JSON document and check it against the schema of that name; returns it."""
    document = json.loads(text)
    content = json.loads((Path(__file__).parent / f"{schema}.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(content)
    Draft202012Validator(content).validate(document)
    return document
