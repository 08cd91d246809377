"""Run measurements one after another, each in a process of its own, and write RESULTS.md.

    python -m benchmarks [NAME ...]

Without names all of them run, which takes hours; with names only their sections of the page are
written anew. Ends with 1 where one fails, with 3 where a bar is not held.
"""

import ast
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from benchmarks.harness import machine, results, rows
from benchmarks.harness.results import Outcome
from benchmarks.quiet import Watch

MEASUREMENTS: Final[Mapping[str, tuple[str, ...]]] = {
    "start": ("benchmarks.start",),
    "first_step": ("benchmarks.first_step",),
    "evaluation": ("benchmarks.evaluation",),
    "prediction": ("benchmarks.prediction",),
    "pipes": ("benchmarks.pipes",),
    "onnx_throughput": ("benchmarks.onnx_throughput",),
    "tutorial_epoch": ("benchmarks.tutorial_epoch",),
    "recipe_tutorial": ("benchmarks.recipes", "tutorial", "--seeds", "1"),
    "recipe_fast": ("benchmarks.recipes", "fast", "--seeds", "5"),
    "recipe_default": ("benchmarks.recipes", "default", "--seeds", "3"),
    "recipe_small": ("benchmarks.recipes", "small", "--seeds", "3"),
    "growth": ("benchmarks.growth",),
    "processes": ("benchmarks.processes",),
    "augmentation": ("benchmarks.augmentation",),
    "balanced": ("benchmarks.balanced", "--epochs", "2"),
    "fine_tuning": ("benchmarks.fine_tuning",),
    "photos": ("benchmarks.photos",),
}
"""Module and arguments of each section, in the order of the page."""


def main(arguments: Sequence[str]) -> int:
    """Run the named measurements, or all."""
    unknown = [name for name in arguments if name not in MEASUREMENTS]
    if unknown:
        print(f"no measurement is called {', '.join(unknown)}; there are {', '.join(MEASUREMENTS)}")
        return 2
    codes = [run(name) for name in arguments or MEASUREMENTS]
    return 1 if any(code not in (0, rows.MISSED) for code in codes) else max(codes)


def run(name: str) -> int:
    """Run one measurement and write its section; gives its exit code."""
    module, *arguments = MEASUREMENTS[name]
    command = ["-m", module, *arguments]
    print(f"== {name}", flush=True)
    started_at = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, Watch() as watch:
        file = Path(folder) / "rows.jsonl"
        done = subprocess.run([sys.executable, *command, "--rows", str(file)], check=False)
        code, found = done.returncode, rows.read(file)
    where = f"{machine.describe()}; {datetime.now(UTC):%Y-%m-%d}"
    where += f", {time.monotonic() - started_at:,.0f} s"
    if not watch.is_quiet:
        where += f", others took {watch.taken:.0%} of the cores meanwhile"
    outcome = Outcome(
        name,
        about(module),
        f"python {' '.join(command)}",
        where,
        found,
        "" if code in (0, rows.MISSED) else f"it ended with exit code {code}",
    )
    results.update(outcome, list(MEASUREMENTS), results.RESULTS)
    return code


def about(module: str) -> str:
    """What a module says of itself in its first sentence; it is not imported for that."""
    spec = find_spec(module)
    assert spec is not None
    assert spec.origin is not None
    text = ast.get_docstring(ast.parse(Path(spec.origin).read_text(encoding="utf-8"))) or ""
    return text.partition("\n\n")[0].replace("\n", " ")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
