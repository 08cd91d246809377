"""Rows of results, and the page that keeps them: RESULTS.md.

A measurement is a module whose function `measure(*, option=default, …)` yields rows; it ends with
`run(measure)`.
"""

import argparse
import inspect
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, NoReturn

RESULTS: Final = Path(__file__).with_name("RESULTS.md")
HEADER: Final = ("what", "baseline", "here", "ratio", "target", "met", "n")
MISSED: Final = 3
"""Exit code of a measurement that misses a target."""

_INTRODUCTION: Final = """\
# Results

Written by `make bench` (all measurements) or `python -m benchmarks NAME…` (some of them); each
section names its own command. A baseline is measured in the same run as the figure beside it; the
ratio is the figure over the baseline. [LOG.md](LOG.md) says what was tried for missed targets.
"""


@dataclass(frozen=True, slots=True)
class Row:
    """One figure. Bars apply to the figure itself or to its ratio to the baseline."""

    what: str
    ours: float
    unit: str = ""
    """`s`, `ms`, `MB`, `images/s`, `%` or whatever else the figure counts."""
    n: int = 1
    """Number of runs, steps or seeds."""
    statistic: str = "median"
    """Of those n: `best`, `median`, `mean`, `largest`."""
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
        """The figure over the baseline."""
        return self.ours / self.baseline if self.baseline else None

    @property
    def held(self) -> bool | None:
        """Whether every bar is held; None without a bar."""
        ratio = float("nan") if self.ratio is None else self.ratio
        verdicts = [
            *([self.ours >= self.at_least] if self.at_least is not None else []),
            *([self.ours <= self.at_most] if self.at_most is not None else []),
            *([ratio >= self.ratio_at_least] if self.ratio_at_least is not None else []),
            *([ratio <= self.ratio_at_most] if self.ratio_at_most is not None else []),
        ]
        return all(verdicts) if verdicts else None

    def bar(self) -> str:
        """The bars in words, such as `≤ 0.25 s` or `ratio ≥ 4`."""
        bars = (
            ("≥", self.at_least, self.unit),
            ("ratio ≥", self.ratio_at_least, ""),
            ("≤", self.at_most, self.unit),
            ("ratio ≤", self.ratio_at_most, ""),
        )
        return ", ".join(f"{sign} {show(bar, unit)}" for sign, bar, unit in bars if bar is not None)

    def cells(self) -> list[str]:
        """The row as a line of the table under `HEADER`."""
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


def show(figure: float, unit: str = "") -> str:
    """A figure with three significant digits (percent: two decimals) and its unit."""
    if unit == "%":
        return f"{figure:.2f}%"
    digits = f"{figure:,.0f}" if abs(figure) >= 100 else f"{figure:.3g}"
    return f"{digits} {unit}".rstrip()


def table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table in Markdown, without a trailing line break."""
    names = list(header)
    lines = [names, ["---"] * len(names), *(list(row) for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def run(measure: Callable[..., Iterator[Row]]) -> NoReturn:
    """Run a measurement from the command line; exits with `MISSED` if a bar is not held.

    Each keyword parameter of `measure` is an option; `--rows FILE` appends each row as JSON.
    """
    parser = argparse.ArgumentParser(description=sys.modules["__main__"].__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    for name, parameter in inspect.signature(measure).parameters.items():
        is_path = parameter.default is None
        parser.add_argument(
            f"--{name.replace('_', '-')}",
            type=Path if is_path else type(parameter.default),
            default=parameter.default,
            help=None if is_path else f"default: {parameter.default}",
        )
    parser.add_argument("--rows", type=Path, metavar="FILE", help="append each row as JSON")
    given: dict[str, Any] = vars(parser.parse_args())
    file = given.pop("rows")
    is_missed = False
    for row in measure(**given):
        what, *cells = row.cells()
        named = [f"{name} {cell}" for name, cell in zip(HEADER[1:], cells, strict=True) if cell]
        print(f"{what}: {'; '.join(named)}", flush=True)
        is_missed |= row.held is False
        if file is not None:
            with file.open("a", encoding="utf-8") as lines:
                lines.write(json.dumps(asdict(row)) + "\n")
    sys.exit(MISSED if is_missed else 0)


def read(path: Path) -> list[Row]:
    """The rows that `run` has written."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return [Row(**json.loads(line)) for line in lines]


def update(name: str, about: str, rows: Sequence[Row], order: Sequence[str], path: Path) -> None:
    """Replace one section of the page; `about`: its text above the table."""
    sections = _sections(path)
    cells = ([cell.replace("|", "/") for cell in row.cells()] for row in rows)
    below = f"\n{table(HEADER, cells)}\n" if rows else ""
    sections[name] = f"## {name}\n\n{about}\n{below}"
    names = sorted(sections, key=lambda name: order.index(name) if name in order else len(order))
    body = "\n".join(sections[name] for name in names)
    path.write_text(f"{_INTRODUCTION}\n{_summary(sections)}\n\n{body}", encoding="utf-8")


def _sections(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    _head, *parts = re.split(r"^## ", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {part.partition("\n")[0]: f"## {part}".rstrip() + "\n" for part in parts}


def _summary(sections: dict[str, str]) -> str:
    """How many bars are held, and which are not."""
    held, missed = 0, []
    failed = [name for name, text in sections.items() if "**Failed**" in text]
    for name, text in sections.items():
        for line in text.splitlines():
            cells = [cell.strip() for cell in line.strip("|").split(" | ")]
            if line.startswith("| ") and len(cells) == len(HEADER):
                verdict = cells[HEADER.index("met")]
                held += verdict == "yes"
                if verdict == "**no**":
                    missed.append(f"{name}: {cells[0]}")
    lines = [f"{held} of {held + len(missed)} targets are met."]
    if missed:
        lines += ["Missed:", "", *(f"- {one}" for one in missed)]
    if failed:
        lines += ["", f"Failed to run: {', '.join(failed)}."]
    return "\n".join(lines)
