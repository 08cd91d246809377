"""Rows of results, and the page that keeps them: RESULTS.md.

A measurement is a module whose function `measure(*, option=default, …)` yields rows; it ends with
`run(measure)`.
"""

import functools
import re
import statistics
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeAlias

import typer

RESULTS: Final = Path(__file__).with_name("RESULTS.md")
HEADER: Final = ("what", "baseline", "here", "ratio", "target", "met", "n")
MISSED: Final = 3
"""Exit code of a measurement that misses a target."""
Figures: TypeAlias = float | Sequence[float]
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
    ours: Figures
    unit: str = ""
    """`s`, `ms`, `MB`, `images/s`, `%` or whatever else the figure counts."""
    statistic: str = "median"
    """A key of STATISTICS; any other word describes a single figure of n."""
    n: int = 1
    """Number of images or requests behind a single figure."""
    baseline: tuple[str, Figures] | None = None
    """What it is, and its figures: in the same unit, measured in the same run."""
    bars: Mapping[str, float | None] = field(default_factory=dict)
    """By sign: `≥` and `≤` apply to the figure, `ratio ≥` and `ratio ≤` to its ratio."""

    def _figure(self, value: Figures) -> float:
        return STATISTICS[self.statistic](value) if isinstance(value, Sequence) else value

    @property
    def ratio(self) -> float | None:
        """The figure over the baseline; None without one, or if it is 0."""
        if self.baseline is None or not self.baseline[1]:
            return None
        return self._figure(self.ours) / self._figure(self.baseline[1])

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
        baseline = ""
        if self.baseline is not None:
            name, figures = self.baseline
            baseline = f"{show(self._figure(figures), self.unit)} ({name})"
        bars = (
            f"{sign} {show(bar, '' if sign.startswith('ratio') else self.unit)}"
            for sign, bar in self.bars.items()
            if bar is not None
        )
        n = len(self.ours) if isinstance(self.ours, Sequence) else self.n
        return [
            self.what.replace("|", "/"),
            baseline,
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
    return "\n".join(map(line, [header, ["---"] * len(header), *rows]))


def line(cells: Sequence[str]) -> str:
    """A line of a table."""
    return f"| {' | '.join(cells)} |"


def edit_part(page: str, name: str, edit: Callable[[str], str]) -> str:
    """Edit the text between `<!-- NAME -->` or `<!-- NAME: … -->` and `<!-- end -->`."""
    head, mark, rest = re.split(rf"(<!-- {name}(?:: .*?)? -->\n\n)", page)
    text, end, tail = rest.partition("\n\n<!-- end -->")
    return f"{head}{mark}{edit(text)}{end}{tail}"


def run(measure: Callable[..., Iterator[Row]]) -> None:
    """Run a measurement from the command line, and print its rows as a table.

    Each parameter of `measure` is an option. Exits with `MISSED` if a bar is not held.
    """

    @functools.wraps(measure)
    def command(**options: Any) -> None:
        print(table(HEADER, ()))
        is_missed = False
        for row in measure(**options):
            print(line(row.cells()), flush=True)
            is_missed |= row.held is False
        sys.exit(MISSED if is_missed else 0)

    command.__doc__ = sys.modules["__main__"].__doc__
    typer.run(command)


def update(name: str, text: str, order: Sequence[str], page: Path) -> None:
    """Replace the text of one section of the page."""
    sections = _sections(page)
    sections[name] = f"## {name}\n\n{text}\n"
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
        for row in re.findall(r"^\| (.*) \|$", text, re.MULTILINE):
            what, *_, verdict, _n = row.split(" | ")
            held += verdict == "yes"
            if verdict == "**no**":
                missed.append(f"- {name}: {what}")
    lines = [f"{held} of {held + len(missed)} targets are met."]
    if missed:
        lines += ["Missed:", "", *missed]
    if failed := [name for name, text in sections.items() if "**Failed**" in text]:
        lines += ["", f"Failed to run: {', '.join(failed)}."]
    return "\n".join(lines)
