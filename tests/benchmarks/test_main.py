"""`python -m benchmarks`: measurements in processes of their own, and the page of results."""

import sys
from functools import partial
from pathlib import Path

import pytest

from benchmarks import __main__ as program
from benchmarks import report
from benchmarks.homework import fill
from benchmarks.peers.__main__ import render, summarize
from benchmarks.report import MISSED, Row, edit_part, line, update

MEASUREMENT = '''"""What is measured, in one sentence.

More of it.
"""

from benchmarks.report import Row, run


def measure(figure: float = 0.0):
    yield Row("a figure", figure, "s", bars={"≤": 1.0})


run(measure)
'''
PEER = {
    "measured": {
        "seconds": 100.0,
        "start_seconds": 2.0,
        "images_per_second": 1_000.0,
        "accuracy": 0.9,
        "steps": 235,
        "n": 1,
    },
    "baseline": {"images_per_second": 12_500.0},
    "installed": {"version": "1.0", "license": "MIT", "packages": 7, "bytes": 12_000_000},
    "date": "2026-01-01",
}


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A page of its own, and three measurements: one held, one missed, one that breaks."""
    (tmp_path / "benchmarks_of_test.py").write_text(MEASUREMENT, encoding="utf-8")
    (tmp_path / "broken_of_test.py").write_text('"""Breaks."""\nraise ZeroDivisionError\n')
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{Path(__file__).parents[2]}")
    monkeypatch.syspath_prepend(tmp_path)
    measurements = {
        "held": "benchmarks_of_test --figure 0.5",
        "missed": "benchmarks_of_test --figure 1.5",
        "broken": "broken_of_test",
    }
    monkeypatch.setattr(program, "MEASUREMENTS", measurements)
    monkeypatch.setattr(program, "PACKAGE", "")
    monkeypatch.setattr(report, "RESULTS", tmp_path / "RESULTS.md")
    return tmp_path / "RESULTS.md"


def test_every_measurement_is_a_module_with_a_sentence() -> None:
    for words in program.MEASUREMENTS.values():
        assert len(program.about(words.split()[0])) > 20


def test_named_measurements_run_and_the_worst_decides(page: Path) -> None:
    assert program.main(["held"]) == 0
    assert program.main(["held", "missed"]) == MISSED
    assert program.main(["broken", "missed"]) == 1
    text = page.read_text(encoding="utf-8")
    assert "1 of 2 targets are met." in text
    assert "- missed: a figure" in text
    assert "What is measured, in one sentence.\n\n`python -m benchmarks_of_test --fig" in text
    assert "| a figure |  | 0.5 s |  | ≤ 1 s | yes | 1 |" in text
    assert "Failed to run: broken." in text


def test_an_unknown_name_runs_nothing(page: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert program.main(["held", "nothing"]) == 2
    assert "unknown measurement: nothing; choose from held" in capsys.readouterr().out
    assert not page.exists()


def test_rows_replace_their_section_alone(tmp_path: Path) -> None:
    baseline = ("c", (4.0, 3.0, 5.0))
    row = Row("`a|b`", (1.0, 2.0, 9.0), "s", baseline=baseline, bars={"ratio ≤": 0.4})
    page = tmp_path / "RESULTS.md"
    for name in ("second", "first", "second"):
        update(name, f"What it is.\n\n{line(row.cells())}", ["first", "second"], page)
    text = page.read_text(encoding="utf-8")
    assert text.count("| `a/b` | 4 s (c) | 2 s | 0.5 | ratio ≤ 0.4 | **no** | median of 3 |") == 2
    assert text.index("## first") < text.index("## second")
    assert "0 of 2 targets are met." in text


def test_the_comparison_renders_from_stored_results() -> None:
    timed = {"seconds": 1.0, "start_seconds": 1.0, "images_per_second": 9.0, "steps": 5}
    rounds = [{**timed, "seconds": seconds, "accuracy": seconds / 8} for seconds in (1.0, 2.0, 9.0)]
    assert summarize(rounds) == {**timed, "seconds": 2.0, "accuracy": 0.5, "n": 3}
    text = render({"timm": PEER, "notebook": PEER}, 1_234)
    assert "| 1,000 | 12,500, 12× | 2.0 s | 100 s | 90.00% | 60 lines | 12 MB, 7 packages |" in text
    assert "| a notebook | nothing |" in text
    assert "`python benchmarks/peers/programs/timm_resnet18.py DATA 1`" in text
    assert "1,234 sets of weights" in text
    assert sys.prefix not in text


def test_new_figures_keep_a_tables_first_two_columns() -> None:
    page = "Text.\n\n<!-- few -->\n\n{}\n\n<!-- end -->\n\n<!-- machine -->\n\nA\n\n<!-- end -->\n"
    head = "| exercise | option | off |\n| --- | --- | --- |\n"
    old, new = (head + f"| schedule | `--lr 1` | {off} |" for off in ("1%", "2%"))
    assert edit_part(page.format(old), "few", partial(fill, [["2%"]])) == page.format(new)
