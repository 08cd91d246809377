"""The figures of the pages are those that were measured."""

import re
from pathlib import Path

import pytest

from benchmarks.harness.results import Outcome
from benchmarks.harness.rows import Row
from benchmarks.recipe_table import README, measured, update
from fmnist_cli.training.recipes import RECIPES

ROOT = Path(__file__).parents[2]
RESULTS = (ROOT / "benchmarks/RESULTS.md").read_text(encoding="utf-8")
PAGE = README.read_text(encoding="utf-8")


def rows(page: str) -> dict[str, str]:
    """The README's rows by the recipe they are of."""
    found: dict[str, str] = dict(re.findall(r"^\| `(\w+)` \|(.*)$", page, re.MULTILINE))
    return {name: row for name, row in found.items() if name in RECIPES}


def test_the_table_is_that_of_the_results() -> None:
    assert list(rows(PAGE)) == list(RECIPES)
    assert update(PAGE, RESULTS) == PAGE, "run python -m benchmarks.recipe_table"


@pytest.mark.parametrize("recipe", RECIPES)
def test_what_has_no_section_was_logged(recipe: str) -> None:
    if measured(recipe, RESULTS) is None and (
        accuracy := re.search(r"([\d.]+)%", rows(PAGE)[recipe])
    ):
        log = (ROOT / "benchmarks/LOG.md").read_text(encoding="utf-8")
        assert re.search(rf"`{recipe}`.*\b{re.escape(accuracy[0])}", log)


def test_figures_of_a_section_replace_those_of_the_table() -> None:
    figures = [
        Row(what="`fast`: test accuracy, seed 7", ours=95.0, unit="%", n=1, statistic="mean"),
        Row(
            what="`fast`: training", ours=12.5, unit="s", n=1, baseline=600, against="the course's"
        ),
    ]
    results = Outcome("recipe_fast", "About.", "command", "here", figures).section()
    assert measured("small", results) is None
    before, after = rows(PAGE), rows(update(PAGE, results))
    assert re.search(r"\| 95\.00% ?, 1 seed \| 12\.5 s \|", after.pop("fast"))
    before.pop("fast")
    assert after == before


@pytest.mark.parametrize("page", ["README.md", "README.zh-CN.md"])
def test_the_comparison_is_that_of_its_page(page: str) -> None:
    """Each number of a row stands in the row of the same rate of images."""
    compared = (ROOT / "docs/comparison.md").read_text(encoding="utf-8").splitlines()
    text = (ROOT / page).read_text(encoding="utf-8")
    found = re.findall(r"^\| (.*?) \| \d \| ([\d,]+) \|(.*)\|$", text, re.MULTILINE)
    assert len(found) > 5
    for tool, rate, cells in found:
        (line,) = (line for line in compared if f" {rate} " in line)
        for figure in re.findall(r"\d[\d.,]*", cells):
            assert re.search(rf"(?<![\d.]){re.escape(figure)}(?![\d])", line), (tool, figure, line)
