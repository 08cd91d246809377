"""A browser, and what the proofs counted as one table at the end of `make proof`."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, TypeAlias

import pytest

from tests.proof.chromium import Tab, chromium

_ROW: Final = "proof row"
"""Name of the property by which a test's report carries a row of the table."""


Record: TypeAlias = Callable[[str, int, str], None]
"""Adds a row to the table: what was proved, how many cases were counted, what came of them."""


@pytest.fixture
def record(record_property: Callable[[str, object], None]) -> Record:
    """Take rows of the table that the run ends with."""
    return lambda name, count, outcome: record_property(_ROW, (name, count, outcome))


@pytest.fixture
def tab(tmp_path: Path) -> Iterator[Tab]:
    """A page of a browser."""
    with chromium(tmp_path / "profile") as opened:
        yield opened


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Draw the table: every proof that ran has a row, those that failed or were skipped too."""
    rows = [
        row
        for category in ("passed", "failed", "error", "skipped")
        for report in terminalreporter.stats.get(category, [])
        if "proof" in report.keywords
        for row in _rows(report, category)
    ]
    if not rows:
        return
    cells = [("proof", "counted", "outcome"), *sorted(rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(2)]
    terminalreporter.section("proofs")
    for name, count, outcome in cells:
        terminalreporter.write_line(f"{name:<{widths[0]}}  {count:>{widths[1]}}  {outcome}")


def _rows(report: pytest.TestReport, category: str) -> list[tuple[str, str, str]]:
    test = report.nodeid.rpartition("/")[2]
    if category == "skipped":
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else ""
        return [(test, "", reason.lower() or "skipped")]
    if category != "passed":
        return [(test, "", category.upper())]
    recorded: list[Any] = [value for name, value in report.user_properties if name == _ROW]
    rows = [(name, f"{count:,}", outcome) for name, count, outcome in recorded]
    return rows or [(test, "", "passed")]
