"""Measure on a GPU what the recipes reach there, in parts of a few minutes.

    python -m benchmarks.gpu --work FOLDER [--minutes 8] [--device cuda] [--only NAME ...]

Figures and half-trained models are kept in FOLDER, and the same command goes on there; after each
call the table is printed and the page written, benchmarks/GPU.md by default. `--device cpu --toy`
tries all of it at toy size on drawn data. Ends with 75 where parts are left, with 3 where a bar is
not held. The package need not be installed; the data is found as always (`FMNIST_DATA_DIR`,
`FMNIST_MIRROR`).
"""

import argparse
import sys
import time
from collections.abc import Callable, Mapping
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, TypeAlias

from benchmarks.gpu import ceilings, distil, page, rates, runs
from benchmarks.gpu.setting import ROOT, NotDone, Setting
from benchmarks.harness.kept import Kept
from benchmarks.harness.rows import MISSED
from fmnist_cli.errors import FmnistError
from fmnist_cli.training.device import resolve
from fmnist_cli.training.recipes import RECIPES
from fmnist_cli.training.results import Stopped

PAGE: Final = ROOT / "benchmarks" / "GPU.md"
SEEDS: Final = range(100, 105)
NEEDED: Final = (
    *("filelock", "matplotlib", "numpy", "pandas", "PIL", "rich", "sklearn", "torch"),
    *("torchvision", "typer"),
)
"""What training and evaluation import."""
AGAIN: Final = 75
"""Exit code where the same command has to be called again."""

Part: TypeAlias = Callable[[Setting], dict[str, Any]]


def parts(*, is_toy: bool) -> Mapping[str, Part]:
    """What there is to measure, in order."""
    seeds = SEEDS[:1] if is_toy else SEEDS
    found: dict[str, Part] = {"ceilings": ceilings.measure}
    for recipe in RECIPES:
        found[f"rates/{recipe}"] = partial(rates.measure, recipe=recipe)
    for seed in seeds:
        found[f"fast/{seed}"] = partial(runs.whole_command, recipe="fast", seed=seed)
    for seed in seeds:
        found[f"best/{seed}"] = partial(runs.resumable, recipe="best", seed=seed)
    found["distil"] = partial(student, seeds=seeds)
    return found


def student(setting: Setting, seeds: range) -> dict[str, Any]:
    """Distil the models of `best` into one. Those that are gone are trained again."""
    teachers = [runs.model_of(setting.work, "best", seed) for seed in seeds]
    for seed, teacher in zip(seeds, teachers, strict=True):
        if not teacher.exists():
            runs.resumable(setting, "best", seed)
    output = setting.work / "distilled.pt"
    given = {"device": str(setting.device), "seed": seeds[0], **setting.overrides}
    try:
        seconds = distil.distil(
            teachers, output, setting.work / "distilled-run", given, setting.seconds_left()
        )
    except Stopped:
        raise NotDone from None
    accuracy = setting.accuracy(output)
    return {"teachers": len(teachers), "training_seconds": seconds, "accuracy": accuracy}


def main(arguments: list[str] | None = None) -> int:
    """Measure what is missing until the time is over."""
    options = _parse(arguments)
    absent = [name for name in NEEDED if find_spec(name) is None]
    if absent:
        print(f"missing here: {', '.join(absent)}; training and evaluation need them")
        return 1
    options.work.mkdir(parents=True, exist_ok=True)
    setting = Setting(
        options.work.resolve(),
        resolve(options.device),
        options.toy,
        time.monotonic() + 60 * options.minutes,
    )
    kept = Kept(setting.work / "results.json")
    wanted = parts(is_toy=options.toy)
    if options.only:
        wanted = {name: part for name, part in wanted.items() if name.startswith(options.only)}
    missing = [name for name in wanted if name not in kept.found]
    for name in list(missing):
        try:
            setting.seconds_left()
            found = wanted[name](setting)
        except NotDone:
            break
        kept.keep(name, found)
        missing.remove(name)
        print(f"{name}: {', '.join(f'{key} {figure:,.4g}' for key, figure in found.items())}")
    text = page.render(kept, setting, missing)
    options.page.write_text(text, encoding="utf-8")
    print(text, flush=True)
    if missing:
        return AGAIN
    return MISSED if any(row.held is False for row in page.rows(kept)) else 0


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "--work", type=Path, required=True, help="folder that is kept between calls"
    )
    parser.add_argument("--minutes", type=float, default=8.0, help="stop after so long")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--toy", action="store_true", help="everything tiny, on drawn data")
    parser.add_argument("--page", type=Path, default=PAGE, help="where the table is written")
    parser.add_argument(
        "--only", nargs="+", type=str, help="parts whose names begin so: rates, fast, best/100"
    )
    options = parser.parse_args(arguments)
    options.only = tuple(options.only or ())
    return options


if __name__ == "__main__":
    try:
        sys.exit(main())
    except FmnistError as error:
        sys.exit(str(error))
