"""`python -m benchmarks`: measurements in processes of their own, and their sections."""

from importlib.util import find_spec
from pathlib import Path

import pytest

from benchmarks import __main__ as program
from benchmarks.harness import results
from benchmarks.harness.rows import MISSED

MEASUREMENT = '''"""What is measured, in one sentence.

More of it.
"""

import sys

from benchmarks.harness.rows import Row, parser, report

options = parser(__doc__)
options.add_argument("--figure", type=float)
given = options.parse_args()
row = Row(what="a figure", ours=given.figure, unit="s", n=1, at_most=1.0)
sys.exit(report([row], given))
'''


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A page of its own, and three measurements: one held, one missed, one that breaks."""
    (tmp_path / "measured.py").write_text(MEASUREMENT, encoding="utf-8")
    (tmp_path / "broken.py").write_text('"""Breaks."""\nraise ZeroDivisionError\n')
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{Path.cwd()}")
    monkeypatch.syspath_prepend(tmp_path)
    measurements = {
        "held": ("measured", "--figure", "0.5"),
        "missed": ("measured", "--figure", "1.5"),
        "broken": ("broken",),
    }
    monkeypatch.setattr(program, "MEASUREMENTS", measurements)
    monkeypatch.setattr(results, "RESULTS", tmp_path / "RESULTS.md")
    return tmp_path / "RESULTS.md"


def test_every_measurement_is_a_module_that_says_what_it_measures() -> None:
    for module, *_arguments in program.MEASUREMENTS.values():
        assert find_spec(module) is not None
        assert len(program.about(module)) > 20


def test_named_ones_run_and_the_worst_decides(page: Path) -> None:
    assert program.main(["held"]) == 0
    assert program.main(["held", "missed"]) == MISSED
    assert program.main(["broken", "missed"]) == 1
    text = page.read_text(encoding="utf-8")
    assert "1 of 2 bars are held." in text
    assert "What is measured, in one sentence.\n\n`python -m measured --figure 0.5`;" in text
    assert "**Failed**: it ended with exit code 1" in text


def test_an_unknown_name_runs_nothing(page: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert program.main(["held", "nothing"]) == 2
    assert "no measurement is called nothing; there are held" in capsys.readouterr().out
    assert not page.exists()
