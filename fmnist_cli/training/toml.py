"""Options as TOML: one flat table, which is all that a run writes.

tomli-w would do it too, but a copy of this folder has to train where torch and its companions are
there and nothing can be installed (`benchmarks.gpu`), and tomli-w is not one of them.
"""

import json
from collections.abc import Mapping


def dumps(values: Mapping[str, str | int | float | bool]) -> str:
    """One line per value; names are bare TOML keys, numbers are finite."""
    return "".join(f"{name} = {_value(value)}\n" for name, value in values.items())


def _value(value: str | float | bool) -> str:
    # JSON's booleans and numbers are valid TOML, as are its strings except for one character.
    return json.dumps(value, ensure_ascii=False, allow_nan=False).replace("\x7f", "\\u007f")
