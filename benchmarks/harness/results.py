"""RESULTS.md: a section for each measurement, replaced when it is run again."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.harness.rows import HEADER, Row
from benchmarks.markdown import table

RESULTS: Final = Path(__file__).parents[1] / "RESULTS.md"

_INTRODUCTION: Final = """\
# Results

Written by `make bench` (all of them) and `python -m benchmarks NAME…` (some of them); each section
names its own command. A baseline is measured in the same run as the figure beside it; the ratio is
the figure over the baseline. What was tried where a bar is missed stands in [LOG.md](LOG.md).
"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one measurement gave."""

    name: str
    about: str
    """One sentence: what is measured."""
    command: str
    where: str
    """Machine, versions, date and how long it took, in words."""
    rows: Sequence[Row]
    failure: str = ""
    """Why it did not come to its end; empty where it did."""

    def section(self) -> str:
        """Its section of the page."""
        lines = [f"## {self.name}", "", self.about, "", f"`{self.command}`; {self.where}", ""]
        if self.failure:
            lines += [f"**Failed**: {self.failure}", ""]
        if self.rows:
            cells = ([cell.replace("|", "/") for cell in row.cells()] for row in self.rows)
            lines.append(table(HEADER, cells))
        return "\n".join(lines).rstrip() + "\n"


def update(outcome: Outcome, order: Sequence[str], path: Path) -> None:
    """Put a measurement's section into the page; the others stay as they are."""
    sections = _sections(path)
    sections[outcome.name] = outcome.section()
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
                verdict = cells[HEADER.index("held")]
                held += verdict == "yes"
                if verdict == "**no**":
                    missed.append(f"{name}: {cells[0]}")
    lines = [f"{held} of {held + len(missed)} bars are held."]
    if missed:
        lines += ["Not held:", "", *(f"- {one}" for one in missed)]
    if failed:
        lines += ["", f"Failed to run: {', '.join(failed)}."]
    return "\n".join(lines)
