"""A row of results: our figure beside its baseline from the same run, and the bar it has to clear.

A measurement is a module that runs alone; its `main` ends with `return report(rows, options)`.
"""

import argparse
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

MISSED: Final = 3
"""Exit code of a measurement that ran to its end, with a bar that is not held."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One figure. Bars are on the figure itself or on its ratio to the baseline."""

    what: str
    ours: float
    unit: str
    """`s`, `ms`, `MB`, `images/s`, `%` or whatever else the figure counts."""
    n: int
    """How many runs, steps or seeds the figure rests on."""
    statistic: str = "median"
    """What was taken of those n: `best`, `median`, `mean`, `largest`."""
    baseline: float | None = None
    """In the same unit, measured in the same run."""
    against: str = ""
    """What the baseline is."""
    at_least: float | None = None
    at_most: float | None = None
    ratio_at_least: float | None = None
    ratio_at_most: float | None = None

    @property
    def ratio(self) -> float | None:
        """Our figure over the baseline."""
        return self.ours / self.baseline if self.baseline else None

    @property
    def held(self) -> bool | None:
        """Whether every bar is cleared; None where there is none."""
        ratio = self.ratio
        bars = [
            (self.ours, self.at_least, self.at_most),
            (ratio, self.ratio_at_least, self.ratio_at_most),
        ]
        verdicts = []
        for figure, low, high in bars:
            if low is not None:
                verdicts.append(figure is not None and figure >= low)
            if high is not None:
                verdicts.append(figure is not None and figure <= high)
        return all(verdicts) if verdicts else None

    def bar(self) -> str:
        """The bars in words, such as `≤ 0.25 s` or `ratio ≥ 4`."""
        parts = []
        for sign, figure, ratio in (
            ("≥", self.at_least, self.ratio_at_least),
            ("≤", self.at_most, self.ratio_at_most),
        ):
            if figure is not None:
                parts.append(f"{sign} {show(figure, self.unit)}")
            if ratio is not None:
                parts.append(f"ratio {sign} {show(ratio)}")
        return ", ".join(parts)

    def cells(self) -> list[str]:
        """The row as a line of the table: see `HEADER`."""
        baseline = "" if self.baseline is None else show(self.baseline, self.unit)
        if self.against:
            baseline = f"{baseline} ({self.against})".strip()
        return [
            self.what,
            baseline,
            show(self.ours, self.unit),
            "" if self.ratio is None else show(self.ratio),
            self.bar(),
            {None: "", True: "yes", False: "**no**"}[self.held],
            f"{self.statistic} of {self.n}" if self.n > 1 else str(self.n),
        ]


HEADER: Final = ("what", "baseline", "here", "ratio", "bar", "held", "n")


def show(figure: float, unit: str = "") -> str:
    """A figure with three digits that count (a share in percent with two decimals) and its unit."""
    if unit == "%":
        return f"{figure:.2f}%"
    digits = f"{figure:,.0f}" if abs(figure) >= 100 else f"{figure:.3g}"
    return f"{digits} {unit}".rstrip()


def parser(doc: str | None) -> argparse.ArgumentParser:
    """The options that every measurement takes."""
    made = argparse.ArgumentParser(
        description=doc, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument("--rows", type=Path, metavar="FILE", help="append each row as a line of JSON")
    return made


def report(rows: Iterable[Row], options: argparse.Namespace) -> int:
    """Print each row as it comes; returns the exit code, `MISSED` where a bar is not held."""
    found = []
    for row in rows:
        found.append(row)
        what, *cells = row.cells()
        named = [f"{name} {cell}" for name, cell in zip(HEADER[1:], cells, strict=True) if cell]
        print(f"{what}: {'; '.join(named)}", flush=True)
        if options.rows is not None:
            with options.rows.open("a", encoding="utf-8") as file:
                file.write(json.dumps(asdict(row)) + "\n")
    return MISSED if any(row.held is False for row in found) else 0


def read(path: Path) -> list[Row]:
    """The rows that `report` has written."""
    if not path.exists():
        return []
    return [Row(**json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]
