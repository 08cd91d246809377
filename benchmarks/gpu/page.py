"""One table of all that was measured, and the page it stands on."""

import statistics
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import torch

from benchmarks.gpu import rates
from benchmarks.gpu.setting import Setting
from benchmarks.harness import machine
from benchmarks.harness.kept import Kept
from benchmarks.harness.rows import HEADER, Row
from benchmarks.markdown import table
from fmnist_cli.training.recipes import RECIPES

_INTRODUCTION: Final = """\
# On a GPU

Written by `python -m benchmarks.gpu --work FOLDER` (`make bench-gpu`). {where}

Accuracy is that of the last epoch on the official test split, trained on all 60,000 images. The
floor of an epoch is the larger of two times: that of its convolutions and linear layers at the
rate of a large bf16 product (arithmetic), and that of reading and writing their features at the
rate of a large copy (memory). Both rates were measured on this device. Recorded steps are replayed
as CUDA graphs.
"""


def rows(kept: Kept) -> Iterator[Row]:
    """The table, as far as it was measured."""
    ceilings = next(iter(kept.of("ceilings")), None)
    if ceilings is not None:
        copied, product = ceilings["gigabytes_per_second"], ceilings["teraflops"]
        yield Row(what="a large copy, read and written", ours=copied, unit="GB/s", n=10)
        yield Row(what="a large bf16 product", ours=product, unit="TFLOP/s", n=10)
    for recipe in RECIPES:
        for found in kept.of(f"rates/{recipe}"):
            yield from _rate(recipe, found, ceilings)
    fast, best, student = kept.of("fast/"), kept.of("best/"), kept.of("distil")
    if fast:
        yield _mean("`fast`: test accuracy", fast, "accuracy", "%", at_least=94.0)
        yield _mean("`fast`: training", fast, "training_seconds", "s", at_most=5.0)
        yield _mean("`fast`: the whole command", fast, "command_seconds", "s", at_most=12.0)
    if best:
        yield _mean("`best`: test accuracy", best, "accuracy", "%", at_least=96.0)
        yield _mean("`best`: training", best, "training_seconds", "s", at_most=300.0)
    if student:
        what = f"one network distilled from {student[0]['teachers']:.0f}"
        yield _mean(f"{what}: test accuracy", student, "accuracy", "%", at_least=96.5)
        yield _mean(f"{what}: training", student, "training_seconds", "s")


def _rate(recipe: str, found: dict[str, Any], ceilings: dict[str, Any] | None) -> Iterator[Row]:
    eager, graph = found["eager"], found.get("graph")
    yield Row(
        what=f"`{recipe}`: training rate{'' if graph is None else ', steps recorded'}",
        ours=graph or eager,
        unit="images/s",
        n=1,
        baseline=eager if graph else None,
        against="launched one by one" if graph else "",
    )
    if ceilings is not None:
        arithmetic, memory = rates.floor(found, ceilings)
        yield Row(
            what=f"`{recipe}`: an epoch of {found['images']:,.0f} images",
            ours=found["images"] / (graph or eager),
            unit="s",
            n=1,
            baseline=max(arithmetic, memory),
            against="floor by " + ("arithmetic" if arithmetic > memory else "memory"),
        )


def _mean(what: str, found: Sequence[dict[str, Any]], key: str, unit: str, **bar: Any) -> Row:
    figures = [one[key] for one in found]
    spread = f" ({min(figures):.2f} to {max(figures):.2f})" if len(figures) > 1 else ""
    return Row(
        what=what + spread,
        ours=statistics.mean(figures),
        unit=unit,
        n=len(figures),
        statistic="mean",
        **bar,
    )


def render(kept: Kept, setting: Setting, missing: Sequence[str]) -> str:
    """The page, with what is still to be measured."""
    named = str(setting.device)
    if setting.device.type == "cuda":
        named = f"{torch.cuda.get_device_name(setting.device)}, CUDA {torch.version.cuda}"
    where = f"{named}; {machine.describe()}; {datetime.now(UTC):%Y-%m-%d}."
    if setting.is_toy:
        where += " At toy size, on drawn data: its figures mean nothing."
    lines = [_INTRODUCTION.format(where=where), table(HEADER, (row.cells() for row in rows(kept)))]
    if missing:
        lines += ["", f"Not measured yet: {', '.join(missing)}."]
    return "\n".join(lines) + "\n"
