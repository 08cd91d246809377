"""Rows of results, and the page that keeps them: RESULTS.md.

A measurement is a module whose function `measure(*, option=default, …)` yields rows; it ends with
`run(measure)`.
"""

import functools
import json
import os
import re
import statistics
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import typer

RESULTS: Final = Path(__file__).with_name("RESULTS.md")
HEADER: Final = ("what", "baseline", "here", "ratio", "target", "met", "n")
MISSED: Final = 3
"""Exit code of a measurement that misses a target."""
ROWS: Final = "BENCHMARK_ROWS"
"""Environment variable: a file to which each row's cells are appended as JSON."""
STATISTICS: Final[Mapping[str, Callable[[Sequence[float]], float]]] = {
    "best": min,
    "median": statistics.median,
    "mean": statistics.fmean,
    "largest": max,
}

_INTRODUCTION: Final = """\
# Results

Written by `make bench` (all measurements) or `python -m benchmarks NAME…` (some of them); each
section names its own command. A baseline is measured in the same run as the figure beside it; the
ratio is the figure over the baseline. [LOG.md](LOG.md) says what was tried for missed targets.
"""


@dataclass(frozen=True, slots=True)
class Row:
    """One figure, computed from several if `ours` or `baseline` are sequences."""

    what: str
    ours: float | Sequence[float]
    unit: str = ""
    """`s`, `ms`, `MB`, `images/s`, `%` or whatever else the figure counts."""
    statistic: str = "median"
    """A key of STATISTICS; any other word describes a single figure of n."""
    n: int = 1
    """Number of images or requests behind a single figure."""
    baseline: float | Sequence[float] | None = None
    """In the same unit, measured in the same run."""
    against: str = ""
    """What the baseline is."""
    bars: Mapping[str, float | None] = field(default_factory=dict)
    """By sign: `≥` and `≤` apply to the figure, `ratio ≥` and `ratio ≤` to its ratio."""

    def _figure(self, value: float | Sequence[float]) -> float:
        return STATISTICS[self.statistic](value) if isinstance(value, Sequence) else value

    @property
    def ratio(self) -> float | None:
        """The figure over the baseline."""
        return self._figure(self.ours) / self._figure(self.baseline) if self.baseline else None

    @property
    def held(self) -> bool | None:
        """Whether every bar is held; None without a bar."""
        verdicts = []
        for sign, bar in self.bars.items():
            if bar is not None:
                value = self.ratio if sign.startswith("ratio") else self._figure(self.ours)
                assert value is not None
                verdicts.append(value >= bar if sign.endswith("≥") else value <= bar)
        return all(verdicts) if verdicts else None

    def cells(self) -> list[str]:
        """The row as a line of the table under `HEADER`."""
        baseline = "" if self.baseline is None else show(self._figure(self.baseline), self.unit)
        bars = (
            f"{sign} {show(bar, '' if sign.startswith('ratio') else self.unit)}"
            for sign, bar in self.bars.items()
            if bar is not None
        )
        n = len(self.ours) if isinstance(self.ours, Sequence) else self.n
        return [
            self.what,
            f"{baseline} ({self.against})".strip() if self.against else baseline,
            show(self._figure(self.ours), self.unit),
            "" if self.ratio is None else show(self.ratio),
            ", ".join(bars),
            {None: "", True: "yes", False: "**no**"}[self.held],
            f"{self.statistic} of {n}" if n > 1 else str(n),
        ]


def show(figure: float, unit: str = "") -> str:
    """A figure with three significant digits (percent: two decimals) and its unit."""
    if unit == "%":
        return f"{figure:.2f}%"
    digits = f"{figure:,.0f}" if abs(figure) >= 100 else f"{figure:.3g}"
    return f"{digits} {unit}".rstrip()


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown, without a trailing line break."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def edit_part(page: str, name: str, edit: Callable[[str], str]) -> str:
    """Edit the text between `<!-- NAME -->` or `<!-- NAME: … -->` and `<!-- end -->`."""
    head, mark, rest = re.split(rf"(<!-- {name}(?:: .*?)? -->\n\n)", page)
    text, end, tail = rest.partition("\n\n<!-- end -->")
    return f"{head}{mark}{edit(text)}{end}{tail}"


def run(measure: Callable[..., Iterator[Row]]) -> None:
    """Run a measurement from the command line; exits with `MISSED` if a bar is not held.

    Each parameter of `measure` is an option.
    """

    @functools.wraps(measure)
    def command(**options: Any) -> None:
        is_missed = False
        for row in measure(**options):
            what, *cells = row.cells()
            named = [f"{name} {cell}" for name, cell in zip(HEADER[1:], cells, strict=True) if cell]
            print(f"{what}: {'; '.join(named)}", flush=True)
            is_missed |= row.held is False
            if ROWS in os.environ:
                with Path(os.environ[ROWS]).open("a", encoding="utf-8") as lines:
                    lines.write(json.dumps([what, *cells]) + "\n")
        sys.exit(MISSED if is_missed else 0)

    command.__doc__ = sys.modules["__main__"].__doc__
    typer.run(command)


def update(name: str, about: str, rows: Path, order: Sequence[str], page: Path) -> None:
    """Replace one section of the page; `about`: its text above the table of the written rows."""
    sections = _sections(page)
    text = rows.read_text(encoding="utf-8") if rows.exists() else ""
    lines = text.replace("|", "/").splitlines()
    below = f"\n{table(HEADER, map(json.loads, lines))}\n" if lines else ""
    sections[name] = f"## {name}\n\n{about}\n{below}"
    names = sorted(sections, key=lambda name: order.index(name) if name in order else len(order))
    body = "\n".join(sections[name] for name in names)
    page.write_text(f"{_INTRODUCTION}\n{_summary(sections)}\n\n{body}", encoding="utf-8")


def _sections(page: Path) -> dict[str, str]:
    if not page.exists():
        return {}
    _head, *parts = re.split(r"^## ", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {part.partition("\n")[0]: f"## {part}".rstrip() + "\n" for part in parts}


def _summary(sections: Mapping[str, str]) -> str:
    """How many bars are held, and which are not."""
    held, missed = 0, []
    for name, text in sections.items():
        for line in text.splitlines():
            cells = [cell.strip() for cell in line.strip("|").split(" | ")]
            if line.startswith("| ") and len(cells) == len(HEADER):
                verdict = cells[HEADER.index("met")]
                held += verdict == "yes"
                if verdict == "**no**":
                    missed.append(f"- {name}: {cells[0]}")
    lines = [f"{held} of {held + len(missed)} targets are met."]
    if missed:
        lines += ["Missed:", "", *missed]
    if failed := [name for name, text in sections.items() if "**Failed**" in text]:
        lines += ["", f"Failed to run: {', '.join(failed)}."]
    return "\n".join(lines)
