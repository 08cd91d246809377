"""A row knows whether its bars are held, and says so in words."""

import argparse
from pathlib import Path
from typing import Any

import pytest

from benchmarks.harness.rows import HEADER, MISSED, Row, parser, read, report, show


def row(**given: Any) -> Row:
    return Row(**{"what": "a step", "ours": 2.0, "unit": "s", "n": 5, **given})


@pytest.mark.parametrize(
    ("given", "held"),
    [
        ({}, None),
        ({"at_most": 2.0}, True),
        ({"at_most": 1.9}, False),
        ({"at_least": 2.1}, False),
        ({"baseline": 8.0, "ratio_at_most": 0.25}, True),
        ({"baseline": 8.0, "ratio_at_least": 0.3}, False),
        ({"baseline": 2.1, "ratio_at_least": 0.9, "ratio_at_most": 1.1}, True),
        ({"baseline": 2.1, "ratio_at_most": 1.1, "at_most": 1.0}, False),
        ({"ratio_at_most": 1.1}, False),  # without a baseline there is nothing to show for it
    ],
)
def test_held(given: dict[str, float], held: bool | None) -> None:
    assert row(**given).held is held


def test_cells() -> None:
    found = row(baseline=8.0, against="the course", ratio_at_most=0.2, at_most=3).cells()
    assert dict(zip(HEADER, found, strict=True)) == {
        "what": "a step",
        "baseline": "8 s (the course)",
        "here": "2 s",
        "ratio": "0.25",
        "bar": "≤ 3 s, ratio ≤ 0.2",
        "held": "**no**",
        "n": "median of 5",
    }


@pytest.mark.parametrize(
    ("figure", "unit", "text"),
    [
        (0.06666, "", "0.0667"),
        (12.345, "s", "12.3 s"),
        (15_931.4, "images/s", "15,931 images/s"),
        (92.4567, "%", "92.46%"),
    ],
)
def test_show(figure: float, unit: str, text: str) -> None:
    assert show(figure, unit) == text


def test_rows_are_reported_written_and_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = parser("A measurement.").parse_args(["--rows", str(tmp_path / "rows.jsonl")])
    rows = [row(at_most=3.0), row(what="another", at_most=1.0)]
    assert report(rows[:1], options) == 0
    assert report(rows[1:], options) == MISSED
    assert read(tmp_path / "rows.jsonl") == rows
    assert capsys.readouterr().out.splitlines()[0].startswith("a step: here 2 s; bar ≤ 3 s")


def test_without_a_file_rows_are_printed_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert report([row()], argparse.Namespace(rows=None)) == 0
    assert capsys.readouterr().out == "a step: here 2 s; n median of 5\n"


def test_a_measurement_that_gave_nothing(tmp_path: Path) -> None:
    assert read(tmp_path / "none") == []
