"""What is written is read back as it was, by Python's own reader."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fmnist_cli.training import toml

VALUES = st.one_of(
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(exclude_categories=["Cs"])),
)


@given(st.dictionaries(st.from_regex(r"[a-z0-9-]+", fullmatch=True), VALUES))
def test_any_table_is_read_back(values: dict[str, str | int | float | bool]) -> None:
    found = tomllib.loads(toml.dumps(values))
    assert found == values
    assert [type(value) for value in found.values()] == [type(value) for value in values.values()]


def test_a_number_that_toml_would_read_otherwise_is_refused() -> None:
    with pytest.raises(ValueError, match="Out of range"):
        toml.dumps({"lr": float("nan")})
