"""The page of results: sections come and go one by one."""

from pathlib import Path

from benchmarks.harness.results import Outcome, update
from benchmarks.harness.rows import Row

ORDER = ["first", "second"]


def outcome(name: str, *, at_most: float, failure: str = "") -> Outcome:
    row = Row(what="`a|b`", ours=2.0, unit="s", n=3, at_most=at_most)
    return Outcome(name, "What it is.", "python -m it", "a machine; today", [row], failure)


def test_sections_stand_in_order_and_are_replaced_one_by_one(tmp_path: Path) -> None:
    page = tmp_path / "RESULTS.md"
    update(outcome("second", at_most=1.0), ORDER, page)
    assert "0 of 1 bars are held." in page.read_text(encoding="utf-8")
    assert "- second: `a/b`" in page.read_text(encoding="utf-8")

    update(outcome("first", at_most=3.0), ORDER, page)
    text = page.read_text(encoding="utf-8")
    assert "1 of 2 bars are held." in text
    assert text.index("## first") < text.index("## second")
    assert text.count("| `a/b` |  | 2 s |  | ≤ 3 s | yes | median of 3 |") == 1

    update(outcome("second", at_most=5.0), ORDER, page)
    text = page.read_text(encoding="utf-8")
    assert "2 of 2 bars are held." in text
    assert "Not held" not in text
    assert text.count("## ") == 2


def test_a_failure_is_said(tmp_path: Path) -> None:
    page = tmp_path / "RESULTS.md"
    update(outcome("first", at_most=3.0, failure="it ended with exit code 1"), ORDER, page)
    text = page.read_text(encoding="utf-8")
    assert "**Failed**: it ended with exit code 1" in text
    assert "Failed to run: first." in text


def test_the_same_results_give_the_same_page(tmp_path: Path) -> None:
    page = tmp_path / "RESULTS.md"
    for name in ORDER:
        update(outcome(name, at_most=1.0), ORDER, page)
    once = page.read_text(encoding="utf-8")
    update(outcome("first", at_most=1.0), ORDER, page)
    assert page.read_text(encoding="utf-8") == once
