"""Run measurements, each in a process of its own, and write RESULTS.md.

    python -m benchmarks [NAME ...]

Without names all of them run, which takes hours; with names only their sections of the page are
replaced. Exits with 1 if one fails, with 3 if a bar is not held.
"""

import pydoc
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.util import find_spec
from typing import Final

from benchmarks import machine, report

MEASUREMENTS: Final[Mapping[str, str]] = {
    "start": "start",
    "first_step": "first_step",
    "evaluation": "evaluation",
    "prediction": "prediction",
    "pipes": "pipes",
    "onnx_throughput": "onnx_throughput",
    "serving": "serving",
    "tutorial_epoch": "tutorial_epoch",
    "recipe_tutorial": "recipes --recipe tutorial --seeds 1",
    "recipe_fast": "recipes --recipe fast --seeds 10 --first-seed 200",
    "recipe_default": "recipes --recipe default --seeds 3",
    "recipe_small": "recipes --recipe small --seeds 3",
    "growth": "growth",
    "processes": "processes",
    "photos": "photos",
    "gpu": "gpu",
}
"""Module and arguments of each section, in the order of the page."""
PACKAGE: Final = "benchmarks."


def main(names: Sequence[str]) -> int:
    """Run the named measurements, or all that a CPU can do."""
    unknown = [name for name in names if name not in MEASUREMENTS]
    if unknown:
        print(f"unknown measurement: {', '.join(unknown)}; choose from {', '.join(MEASUREMENTS)}")
        return 2
    codes = [run(name) for name in names or MEASUREMENTS if names or name != "gpu"]
    return 1 if any(code not in (0, report.MISSED) for code in codes) else max(codes)


def run(name: str) -> int:
    """Run one measurement and write its section; returns its exit code."""
    command = f"-m {PACKAGE}{MEASUREMENTS[name]}"
    print(f"== {name}", flush=True)
    started_at, taken = time.monotonic(), machine.watch()
    table = ""
    with subprocess.Popen(
        [sys.executable, *command.split()], stdout=subprocess.PIPE, encoding="utf-8"
    ) as running:
        assert running.stdout is not None
        for line in running.stdout:
            print(line, end="", flush=True)
            table += line if line.startswith("| ") else ""
    text = f"{about(MEASUREMENTS[name].split()[0])}\n\n`python {command}`; {machine.describe()}"
    text += f"; {datetime.now(UTC):%Y-%m-%d}, {time.monotonic() - started_at:,.0f} s"
    if taken() > machine.MAX_TAKEN:
        text += f", others used {taken():.0%} of the cores meanwhile"
    if running.returncode not in (0, report.MISSED):
        text += f"\n\n**Failed**: exit code {running.returncode}"
    if table.count("\n") > 2:
        text += f"\n\n{table.rstrip()}"
    report.update(name, text, list(MEASUREMENTS), report.RESULTS)
    return running.returncode


def about(module: str) -> str:
    """The first line of a module's docstring; the module is not imported."""
    spec = find_spec(PACKAGE + module)
    assert spec is not None
    assert spec.origin is not None
    return pydoc.synopsis(spec.origin) or ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
